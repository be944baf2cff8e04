"""Speed of the feature-space scores beside their peers, and their memory: `make bench`.

50,000 training images, 10,000 ID and 10,000 OOD test images, 512 features, 10 classes, 2 threads;
in one process, on the same arrays, fits included. Only the ratios carry over. Before the peers'
packages are imported, all scores that need only stored arrays are computed once, and the memory
that the process needed for it is printed.
"""

from __future__ import annotations

import os

os.environ.update(OMP_NUM_THREADS="2", OPENBLAS_NUM_THREADS="2")  # before NumPy is imported

import importlib
import resource
import time
from collections.abc import Callable
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.timing import show
from oecal.scores.catalogue import HEAD, list_scores
from oecal.scores.gaussian import mahalanobis, relative_mahalanobis
from oecal.scores.neighbours import knn
from oecal.scores.subspace import vim

if TYPE_CHECKING:
    from pytorch_ood.api import Detector

TRAIN, TEST, DIMS, CLASSES = 50_000, 10_000, 512, 10
LIMIT = 2e9  # bytes, for all scores

Arrays = dict[str, np.ndarray]


def images(rng: np.random.Generator, n: int, head: Arrays, noise: float) -> Arrays:
    """Features >= 0 around the weights of the classes, with correlated noise, and what the last
    layer makes of them.
    """
    labels = rng.integers(CLASSES, size=n)
    features = rng.standard_normal((n, DIMS), np.float32) @ np.random.default_rng(
        1
    ).standard_normal((DIMS, DIMS), np.float32)
    features *= np.float32(noise / DIMS**0.5)
    features += 30 * head["head_weight"][labels]
    np.maximum(features, 0, out=features)
    return {
        "features": features,
        "labels": labels,
        "logits": features @ head["head_weight"].T + head["head_bias"],
    }


def arrays() -> tuple[Arrays, list[Arrays]]:
    """What is fitted on, under the names of a score's arguments, and both test sets."""
    rng = np.random.default_rng(0)
    head = {
        "head_weight": rng.standard_normal((CLASSES, DIMS), np.float32) / 10,
        "head_bias": rng.standard_normal(CLASSES, np.float32),
    }
    splits = {"train": images(rng, TRAIN, head, 1), "val": images(rng, TEST, head, 1)}
    own = head | {
        f"{split}_{name}": values
        for split, arrays in splits.items()
        for name, values in arrays.items()
    }
    return own, [images(rng, TEST, head, noise) for noise in (1, 2)]


def every_score(own: Arrays, tests: list[Arrays]) -> None:
    print(
        f"All scores of {len(tests)} x {TEST:,} images from stored arrays, "
        f"with {TRAIN:,} training images"
    )
    stored = {"logits", "features", "labels"} | HEAD
    for name, score in list_scores().items():
        if score.needs <= stored and score.prefixes <= {"train", "val"}:
            function = getattr(importlib.import_module(score.module), score.function)
            start = time.perf_counter()
            for test in tests:
                function(**{a: (own | test)[a] for a in score.arguments}, **score.options)
            print(f"  {name:30s} {time.perf_counter() - start:6.2f} s")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    stored_bytes = sum(array.nbytes for array in own.values())
    print(
        f"  peak memory of the process {peak / 1e9:.2f} GB, "
        f"of these arrays {stored_bytes / 1e9:.2f} GB"
    )
    if peak > LIMIT:
        raise SystemExit(f"more than {LIMIT / 1e9:.0f} GB")


def faiss_or_none() -> ModuleType | None:
    try:
        import faiss
    except ImportError:
        print("\nfaiss is not installed: skipped")
        return None
    faiss.omp_set_num_threads(2)
    return faiss


def peers(own: Arrays, tests: list[Arrays]) -> None:
    import torch
    from pytorch_ood import detector

    torch.set_num_threads(2)
    faiss = faiss_or_none()
    tensors = {name: torch.from_numpy(values) for name, values in own.items()}
    head = torch.nn.Linear(DIMS, CLASSES)
    head.weight.data, head.bias.data = tensors["head_weight"], tensors["head_bias"]

    def ours(*functions: Callable[..., np.ndarray]) -> list[np.ndarray]:
        fresh = {
            name: values.view() for name, values in own.items()
        }  # other objects, so nothing is remembered
        needs = {f: list_scores()[f.__name__].arguments for f in functions}
        return [f(**{a: (fresh | test)[a] for a in needs[f]}) for test in tests for f in functions]

    def theirs(*detectors: Detector) -> list[np.ndarray]:
        fitted = [
            d.fit_features(tensors["train_features"], tensors["train_labels"]) for d in detectors
        ]
        with torch.no_grad():
            return [
                d.predict_features(torch.from_numpy(test["features"])).numpy()
                for test in tests
                for d in fitted
            ]

    def flat_index() -> list[np.ndarray]:
        index = faiss.IndexFlatL2(DIMS)
        index.add(
            own["train_features"] / np.linalg.norm(own["train_features"], axis=1, keepdims=True)
        )
        queries = [
            test["features"] / np.linalg.norm(test["features"], axis=1, keepdims=True)
            for test in tests
        ]
        return [np.sqrt(index.search(q, 50)[0][:, -1]) for q in queries]

    def check_same(values: list[np.ndarray], expected: list[np.ndarray]) -> None:
        """Up to a factor, and to what float32 costs the peers: half a percent of ViM's scores.

        The tests compare values.
        """
        for a, b in zip(values, expected, strict=True):
            assert np.corrcoef(a, b)[0, 1] > 0.9999

    both = (detector.Mahalanobis(None), detector.RMD(None))
    virtual, nearest = (
        detector.ViM(None, DIMS // 2, head.weight, head.bias),
        detector.KNN(None, k=50),
    )
    check_same(ours(mahalanobis, relative_mahalanobis), theirs(*both))
    check_same(ours(vim), theirs(virtual))
    check_same(ours(knn), flat_index() if faiss else theirs(nearest))
    show(
        "Mahalanobis and relative Mahalanobis",
        {
            "oecal": lambda: ours(mahalanobis, relative_mahalanobis),
            "pytorch-ood": lambda: theirs(*both),
        },
    )
    show("ViM", {"oecal": lambda: ours(vim), "pytorch-ood": lambda: theirs(virtual)})
    indices = {"faiss, flat index": flat_index} if faiss else {}
    show(
        "KNN, k = 50",
        {"oecal": lambda: ours(knn), **indices, "pytorch-ood": lambda: theirs(nearest)},
        runs=3,
    )


def main() -> None:
    own, tests = arrays()
    every_score(own, tests)
    peers(own, tests)


if __name__ == "__main__":
    main()
