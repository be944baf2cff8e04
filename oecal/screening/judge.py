"""A trained run as a judge of images: prediction, confidence, uncertainty and p-value."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from oecal.core.component_imports import import_component
from oecal.core.components import explain_unknown, read_constant
from oecal.core.device import move_model, set_up_device
from oecal.core.errors import OecalError
from oecal.data import store
from oecal.data.preprocess import Format
from oecal.models.build_network import load_weights, make_network
from oecal.models.model_spec import ModelSpec
from oecal.predict.outputs import predict_outputs
from oecal.runs.run_files import read_run
from oecal.scores.catalogue import BACKGROUND_LOGIT, Score, find_score, list_scores
from oecal.scores.numerics import log_softmax
from oecal.scores.score_run import collect_own_arrays


class RunFiles(NamedTuple):
    """Where the files of a run are."""

    weights: Path
    outputs: Path
    scores: Path
    thresholds: Path
    results: Path


class Judged(NamedTuple):
    """Class names, confidence max_k p_k, score and p-value of N images, (N,) each.

    The first two are empty and nan for a density model.
    """

    predictions: list[str]
    confidence: np.ndarray
    uncertainty: np.ndarray
    p_value: np.ndarray


def find_run_files(folder: str | Path) -> RunFiles:
    """Find the files of the run in `results/<study>/models/<in_dist>/<model>/<training>/seed<n>`.

    Raises OecalError for any that is missing.
    """
    path = Path(folder)
    parents = path.absolute().parents
    if (
        not (path / "model.safetensors").is_file()
        or len(parents) < 6
        or parents[3].name != "models"
    ):
        raise OecalError(
            f"{folder}: is not a trained run; expected "
            "results/<study>/models/<in_dist>/<model>/<training>/seed<n>"
        )
    up = Path(*path.parts[:-5]) if len(path.parts) > 5 else parents[4]
    run = Path(*path.absolute().parts[-4:])
    ends = {"outputs": "h5", "scores": "h5", "thresholds": "json"}
    outputs, scored, thresholds = (up / kind / f"{run}.{end}" for kind, end in ends.items())
    files = RunFiles(path / "model.safetensors", outputs, scored, thresholds, up.parent)
    for needed in files:
        if not needed.exists():
            raise OecalError(
                f"{needed}: does not exist; make it with: snakemake --cores 1 {needed} (and "
                "--configfile, as the study was made)"
            )
    return files


def read_promises(path: Path) -> dict[str, Any]:
    """Read the promises in a file of thresholds (oecal.runs.thresholds).

    Raises OecalError if it is damaged or has none.
    """
    try:
        promises: dict[str, Any] = json.loads(path.read_text())["promises"]
        for promise in promises.values():
            promise["scores"].items()
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise OecalError(
            f"{path}: is not a file of thresholds ({type(error).__name__}: {error}); "
            "delete it and run again"
        ) from None
    if not promises:
        raise OecalError(
            f"{path}: this run has no promise that can be kept; "
            "add one under promises in the configuration"
        )
    return promises


def needs_one_pass(name: str, given: set[str]) -> bool:
    """Return whether a score of a single image needs no more than what is given.

    given: the outputs of one forward pass, and what the run itself has stored.
    """
    try:
        candidate = find_score(name)
    except KeyError:
        return False
    return candidate.options.get("m", 1) == 1 and set(candidate.arguments) <= given


def choose_score(name: str | None, usable: list[str], promise: str) -> Score:
    """Return the score of this name, by default the first one.

    Raises OecalError if it cannot be used.
    """
    if not usable:
        raise OecalError(
            f"--promise {promise}: no score of this run works with a single forward pass; "
            "add one under scores, such as msp"
        )
    if name is None or name in usable:
        return find_score(name or usable[0])
    if name in list_scores():
        raise OecalError(
            f"--score: {name} needs more than a forward pass gives, "
            f"or this run has no threshold for it; use one of: {', '.join(usable)}"
        )
    raise OecalError(f"--score: {explain_unknown(name, usable)}")


@dataclass
class Judge:
    """Judges images: `judge(images)`, uint8 (N, C, H, W) in the format `form`.

    reference: the n scores of ID validation images, sorted. An image with score s has the conformal
    p-value (1 + #{reference >= s}) / (n + 1) (Vovk, Gammerman & Shafer, 2005; Bates et al. 2023,
    arXiv 2104.08279, eq. 3). threshold: an image is accepted if and only if s <= threshold; None:
    never. seconds: what the network has taken so far.
    """

    score: str
    promise: str
    threshold: float | None
    form: Format
    reference: np.ndarray
    outputs: Callable[[np.ndarray], dict[str, np.ndarray]]
    uncertainty: Callable[[Mapping[str, np.ndarray]], np.ndarray]
    classes: tuple[str, ...]
    seconds: float = 0.0

    def __call__(self, images: np.ndarray) -> Judged:
        """Compute prediction, confidence, score and p-value of each image."""
        start = time.perf_counter()
        outputs = self.outputs(images)
        self.seconds += time.perf_counter() - start
        s = np.asarray(self.uncertainty(outputs), np.float64)
        n = len(self.reference)
        p_value = (1 + n - np.searchsorted(self.reference, s)) / (n + 1)
        if "logits" not in outputs:
            return Judged([""] * len(s), np.full(len(s), np.nan), s, p_value)
        log_p = log_softmax(outputs["logits"])
        return Judged(
            [self.classes[k] for k in log_p.argmax(axis=1)], np.exp(log_p.max(axis=1)), s, p_value
        )


def load_judge(
    folder: str | Path,
    score_name: str | None = None,
    promise: str | None = None,
    device: str = "auto",
    threads: int = 1,
) -> Judge:
    """Load the judge that a run makes, with one of its scores and one of its promises.

    By default these are the first ones of its thresholds. The score needs one forward pass only,
    and has the hyperparameters with which the run's own scores were computed. Raises OecalError, in
    one line, for whatever is missing or does not exist.
    """
    at = find_run_files(folder)
    promises = read_promises(at.thresholds)
    promise = promise or next(iter(promises))
    if promise not in promises:
        raise OecalError(f"--promise: {explain_unknown(promise, promises)}")
    run, scored = read_run(at.outputs), read_run(at.scores)
    params, precision = (
        json.loads(run.attributes["configuration"]),
        str(run.attributes["precision"]),
    )
    options = json.loads(scored.attributes["chosen"])
    own, inside = collect_own_arrays(run), scored.find("id", "val")
    given = {*read_constant("models", params["model"]["architecture"], "OUTPUTS"), *own}
    given |= (
        {BACKGROUND_LOGIT}
        if read_constant("training", params["objective"]["name"], "EXTRA_CLASSES", 0)
        else set()
    )
    thresholds = promises[promise]["scores"]
    used = choose_score(
        score_name,
        [name for name in thresholds if name in inside.arrays and needs_one_pass(name, given)],
        promise,
    )
    function: Callable[..., np.ndarray] = getattr(
        import_component("scores", used.family), used.function
    )
    keywords = options.get(used.name, used.options)

    data = at.results / "data" / f"{run.key['in_dist']}.h5"
    classes, shape = (
        store.read_metadata(data).classes,
        store.read_split(data, "test").images.shape[1:],
    )
    spec, objective = ModelSpec(**params["model"]), params["objective"]["name"]
    model = make_network(spec, objective, shape, len(classes))
    load_weights(model, at.weights)
    on = set_up_device(device, threads)
    move_model(model, on, channels_last=True)

    def forward(images: np.ndarray) -> dict[str, np.ndarray]:
        return predict_outputs(model, run.kind, images, on, precision, len(classes))

    def uncertainty(outputs: Mapping[str, np.ndarray]) -> np.ndarray:
        return function(
            **{a: outputs[a] if a in outputs else own[a] for a in used.arguments}, **keywords
        )

    form = Format(
        (int(shape[0]), int(shape[1]), int(shape[2])), params["interpolation"], params["fit"]
    )
    return Judge(
        used.name,
        promise,
        thresholds[used.name]["threshold"],
        form,
        np.sort(inside[used.name]),
        forward,
        uncertainty,
        classes,
    )


def count_threads() -> int:
    """Count the threads that PyTorch would take: cores of this machine, or OMP_NUM_THREADS."""
    return torch.get_num_threads()
