"""Scores from the nearest training images in feature space, by cosine.

Higher is more anomalous, float64 (N,).

The search is exact: it computes all inner products with the M training images, in float32. One
search serves every k of the grids.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from oecal.scores.fit_memory import remember_fit
from oecal.scores.logits import energy
from oecal.scores.threads import Threads, split_into_chunks

SCORES = ("knn", "nnguide")

NEAREST = 200  # the largest k of the grids
IMAGES = 512  # at a time in one thread: with more, the product is not faster
MEMORY = 2**28  # bytes that the inner products of all threads may take
GROUP = 64  # inner products of which only the largest is compared at first


def _unit(features: np.ndarray) -> np.ndarray:
    """Return f / ||f|| of each row, float64; 0 stays 0."""
    f = features.astype(np.float64)
    length = np.sqrt(np.einsum("nd,nd->n", f, f))[:, None]
    directions: np.ndarray = np.divide(f, length, out=f, where=length > 0)
    return directions


def _largest(values: np.ndarray, k: int) -> np.ndarray:
    """Return the indices of the k largest of M values, the largest first.

    The values are put into groups, and the k-th largest of the groups' maxima is a bound that at
    least k values reach, but few more do.
    """
    size = max(min(GROUP, len(values) // (4 * k)), 1)
    groups = len(values) // size
    maxima = values[: groups * size].reshape(size, groups).max(axis=0)
    maxima.partition(groups - k)
    candidates = np.flatnonzero(values >= maxima[groups - k])
    return candidates[values[candidates].argsort()[::-1][:k]]


def _search(
    features: np.ndarray, bank: np.ndarray, silent: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Find the NEAREST rows of `bank` (M, D) with the largest inner products with f / ||f||.

    Return their indices and the products, largest first, both (N, min(NEAREST, M)). The product
    with the rows in `silent` counts as 1/2.
    """
    k = min(NEAREST, len(bank))
    where, values = np.empty((len(features), k), np.int64), np.empty((len(features), k), np.float32)
    with Threads() as threads:
        images = max(
            min(
                IMAGES,
                MEMORY // (4 * len(bank) * threads.count),
                -(-len(features) // threads.count),
            ),
            1,
        )
        starts = range(0, len(features), images)

        def work(thread: int) -> None:
            products = np.empty((max(images, 2), len(bank)), np.float32)
            for start in starts[thread :: threads.count]:
                queries = _unit(features[start : start + images]).astype(np.float32)
                # BLAS rounds a product with a single row differently
                several = np.repeat(queries, 2, axis=0) if len(queries) == 1 else queries
                rows = np.matmul(several, bank.T, out=products[: len(several)])[: len(queries)]
                rows[:, silent] = 0.5
                for n, row in enumerate(rows, start):
                    where[n] = _largest(row, k)
                    values[n] = row[where[n]]

        list(threads.map(work, range(threads.count)))
    return where, values


@remember_fit
def _directions(train_features: np.ndarray) -> np.ndarray:
    with Threads() as threads:
        return np.concatenate(
            list(
                threads.map(
                    lambda c: _unit(train_features[c]).astype(np.float32),
                    split_into_chunks(len(train_features)),
                )
            )
        )


@remember_fit
def _nearest(features: np.ndarray, train_features: np.ndarray) -> np.ndarray:
    """Return the indices of the nearest training images.

    A silent one, without any activation, lies at ||u - 0||^2 = 1 = 2 - 2 (1/2).
    """
    bank = _directions(train_features)
    return _search(features, bank, np.flatnonzero(~bank.any(axis=1)))[0]


def knn(
    features: np.ndarray, train_features: np.ndarray, *, k: Literal[1, 5, 10, 50, 100, 200] = 50
) -> np.ndarray:
    """||u - u_(k)||, u = f / ||f||, to the k-th nearest training image, in [0, 2].

    Sun et al., ICML 2022 (arXiv 2204.06507); 50 is their k for CIFAR-10. With fewer than k training
    images, the farthest one counts. The neighbour is found in float32, its distance computed in
    float64, as what 2 - 2 u.v loses to rounding where u is next to v would mix up near images.
    """
    neighbour = _nearest(features, train_features)[:, min(k, len(train_features)) - 1]
    pairs = (
        (features[chunk], train_features[neighbour[chunk]])
        for chunk in split_into_chunks(len(features))
    )
    return np.concatenate([np.sqrt(np.square(_unit(f) - _unit(g)).sum(axis=1)) for f, g in pairs])


@remember_fit
def _confident(train_features: np.ndarray, train_logits: np.ndarray) -> np.ndarray:
    """Return u times the log-sum-exp of the logits."""
    return _directions(train_features) * -energy(train_logits)[:, None].astype(np.float32)


@remember_fit
def _guides(
    features: np.ndarray, train_features: np.ndarray, train_logits: np.ndarray
) -> np.ndarray:
    return _search(features, _confident(train_features, train_logits), np.array([], np.int64))[1]


def nnguide(
    logits: np.ndarray,
    features: np.ndarray,
    train_features: np.ndarray,
    train_logits: np.ndarray,
    *,
    k: Literal[1, 5, 10, 50, 100, 200] = 10,
) -> np.ndarray:
    """-G S, S = log sum_k exp z_k, G the mean of the k largest S_m u.u_m over training images m.

    Park et al., ICCV 2023 (arXiv 2309.14888), eqs. 4 to 6. Where the paper takes a random part of
    the training images, this takes all of them, as the paper's code does.
    """
    scores: np.ndarray = energy(logits) * _guides(features, train_features, train_logits)[
        :, :k
    ].mean(axis=1, dtype=np.float64)
    return scores
