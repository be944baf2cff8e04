"""Bootstrap intervals of calibration metrics over test images, of one trained model.

They say nothing about other seeds or training sets.

Each resample draws as many images as there are, with replacement, from the ID images and from each
OOD set separately. Means and ratios of means get the percentile interval (Efron & Tibshirani,
1993). An error of calibration does not: it is a norm of the gaps of the bins, to which noise only
adds, so a percentile interval would call every calibrated model miscalibrated. It gets a
`norm_interval`.

Notation: N images, B resamples, b of them at a time, D distinct confidences, K classes. A resample
is a weight per image: how often it is drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from oecal.metrics.calibration_metrics import (
    assign_by_mass,
    assign_by_rank,
    assign_by_width,
    label_losses,
)
from oecal.metrics.norm_interval import Binned, Estimate, norm_interval
from oecal.metrics.resamples import draw_weights, percentile_interval
from oecal.metrics.smooth import smooth_ece, smoothing_kernel

if TYPE_CHECKING:
    from scipy.sparse import csr_array

CELLS = 1_000_000  # weights of so many images times resamples at a time, 8 MB

Statistics = Callable[[np.ndarray], Mapping[str, np.ndarray | Binned]]
"""From weights (N, b) to each metric (b,); an error of calibration as the gaps of its bins."""


def draw_chunks(
    strata: Sequence[tuple[int, np.random.Generator]], resamples: int
) -> Iterator[np.ndarray]:
    """Yield weights (N, b), some resamples at a time.

    strata: the number of images of each stratum, in their order, and its random generator.
    """
    n = sum(size for size, _ in strata)
    most = max(CELLS // n, 1)
    for start in range(0, resamples, most):
        b = min(most, resamples - start)
        yield np.concatenate([draw_weights(size, b, rng) for size, rng in strata]).astype(
            np.float64
        )


def make_sparse(
    entries: np.ndarray, rows: np.ndarray, columns: np.ndarray, shape: tuple[int, int]
) -> csr_array:
    """Return a sparse matrix; entries in the same place are added up."""
    from scipy.sparse import csr_array

    return csr_array((entries, (rows, columns)), shape)


def make_confidence_statistics(
    confidence: np.ndarray, correct: np.ndarray, bins: int = 15, size: int = 100
) -> Statistics:
    """Return the function from weights to all metrics of confidence and correctness, (N,) each.

    With weights of 1 the metrics are those of oecal.metrics.calibration_metrics and
    oecal.metrics.selective_metrics, with the confidence as score; except for ce2_debiased, which
    estimates the square that is computed here. All depend only on how many right and how many wrong
    images have each confidence. The bins, and the width at which smece smooths, are the same in all
    resamples.

    >>> of = make_confidence_statistics(np.array([0.9, 0.8, 0.7, 0.6]), np.array([1, 1, 0, 1]))
    >>> of(np.array([[1, 0], [1, 0], [1, 4], [1, 0]]))["accuracy"]
    array([0.75, 0.  ])
    """
    n, correct = len(confidence), np.asarray(correct, bool)
    values, group, counts = np.unique(confidence, return_inverse=True, return_counts=True)
    of_right, of_wrong = (
        make_sparse(np.ones(len(i)), group[i], i, (len(values), n))
        for i in (np.flatnonzero(correct), np.flatnonzero(~correct))
    )
    at_rank = np.repeat(np.arange(len(values)), counts)  # ties are spread evenly over their ranks

    def by_rank(index: np.ndarray) -> csr_array:
        return make_sparse(1 / counts[at_rank], index, at_rank, (int(index[-1]) + 1, len(values)))

    used, place = np.unique(assign_by_width(values, bins), return_inverse=True)
    width = make_sparse(
        np.ones(len(values)), place, np.arange(len(values)), (len(used), len(values))
    )
    mass, hundreds = by_rank(assign_by_mass(n, bins)), by_rank(assign_by_rank(n, size))
    # shares of the images
    of_width, of_mass, of_hundreds = (index @ counts / n for index in (width, mass, hundreds))
    smooth = smoothing_kernel(values, smooth_ece(confidence, correct.astype(float)))
    doubt = 1 - values

    def compute(weights: np.ndarray) -> dict[str, np.ndarray | Binned]:
        right, wrong = of_right @ weights, of_wrong @ weights  # (D, b)
        both = right + wrong
        excess = values[:, None] * both - right
        rights, wrongs = right.sum(axis=0), wrong.sum(axis=0)
        in_doubt = doubt @ both + wrongs
        less_sure = np.cumsum(wrong, axis=0) - wrong / 2
        with np.errstate(invalid="ignore"):  # nan where a resample has no error, or nothing right
            auroc = np.einsum("db,db->b", right, less_sure) / (rights * wrongs)

        def at_widths(of_what: np.ndarray) -> np.ndarray:
            means: np.ndarray = width @ of_what / n / of_width[:, None]
            return means

        def at_ranks(index: csr_array) -> np.ndarray:
            # a bin of few images may be empty in a resample
            excesses, sizes = index @ excess, index @ both
            means: np.ndarray = np.divide(
                excesses, sizes, out=np.zeros_like(sizes), where=sizes > 0
            )
            return means

        by_widths, by_masses, by_hundreds = at_widths(excess), at_ranks(mass), at_ranks(hundreds)
        return {
            "accuracy": rights / n,
            "ece": Binned(by_widths, of_width, 1),
            "ace": Binned(by_masses, of_mass, 1),
            "mce": Binned(by_widths, of_width, np.inf),
            "rms": Binned(by_hundreds, of_hundreds, 2),
            "mad": Binned(by_hundreds, of_hundreds, 1),
            "soft_f1": np.divide(
                2 * doubt @ wrong, in_doubt, out=np.zeros_like(in_doubt), where=in_doubt > 0
            ),
            "mean_confidence": values @ both / n,
            "ce2_debiased": Binned(by_masses, of_mass, 2, power=2),
            "error_auroc": auroc,
            "reliability": Binned(by_widths, of_width, 2, power=2),
            "resolution": Binned(at_widths(right - rights / n * both), of_width, 2, power=2),
            "smece": Binned(smooth @ excess / n, np.full(len(smooth), 1 / len(smooth)), 1),
            **selective(both[::-1], wrong[::-1]),
        }

    return compute


def selective(both: np.ndarray, wrong: np.ndarray) -> dict[str, np.ndarray]:
    """aurc, eaurc and augrc of oecal.metrics.selective_metrics, (b,) each.

    both, wrong: number of images, and of errors among them, (D, b), the most confident first. Of m
    images of equal confidence with e errors, after W others with E errors, the j-th is expected to
    be accepted with E + e j / m errors of W + j. The sum of these ratios over j is e + (E - e W /
    m) (H(W + m) - H(W)), with the harmonic numbers H.
    """
    n = round(both[:, 0].sum())
    before, errors = np.cumsum(both, axis=0) - both, np.cumsum(wrong, axis=0) - wrong
    each = np.divide(wrong, both, out=np.zeros_like(both), where=both > 0)
    harmonic = np.concatenate([[0], np.cumsum(1 / np.arange(1, n + 1))])
    total, right = errors[-1] + wrong[-1], n - errors[-1] - wrong[-1]
    first, last = before.round().astype(int), (before + both).round().astype(int)
    aurc = (wrong + (errors - each * before) * (harmonic[last] - harmonic[first])).sum(axis=0) / n
    best = (total - right * (harmonic[n] - harmonic[right.round().astype(int)])) / n
    return {
        "aurc": aurc,
        "eaurc": aurc - best,
        "augrc": (both * errors + each * both * (both + 1) / 2).sum(axis=0) / n**2,
    }


def make_class_statistics(log_p: np.ndarray, labels: np.ndarray, bins: int = 15) -> Statistics:
    """Return the function from weights to the metrics that need true classes.

    These are nll, brier, and cwece, with the bins of all classes; log_p (N, K), labels (N,).
    """
    n, classes = log_p.shape
    losses, p = label_losses(log_p, labels), np.exp(log_p)
    excess, image = p - (labels[:, None] == np.arange(classes)), np.repeat(np.arange(n), classes)
    used, place = np.unique(
        assign_by_width(p, bins) + bins * np.arange(classes), return_inverse=True
    )
    at = make_sparse(excess.ravel(), place.ravel(), image, (len(used), n))
    share = np.bincount(place.ravel()) / (n * classes)

    def compute(weights: np.ndarray) -> dict[str, np.ndarray | Binned]:
        means = {name: loss @ weights / n for name, loss in losses.items()}
        return {**means, "cwece": Binned(at @ weights / (n * classes) / share[:, None], share, 1)}

    return compute


def bootstrap(
    statistics: Sequence[Statistics], weights: Iterator[np.ndarray], n: int
) -> dict[str, Estimate]:
    """Each metric of these `Statistics`, from the weights of `draw_chunks` for n images."""

    def compute(w: np.ndarray) -> dict[str, np.ndarray | Binned]:
        return {name: value for function in statistics for name, value in function(w).items()}

    chunks = [compute(w) for w in weights]
    estimates = {}
    for name, value in compute(np.ones((n, 1))).items():
        resampled = [chunk[name] for chunk in chunks]
        if isinstance(value, Binned):
            gaps = [binned.gaps for binned in resampled if isinstance(binned, Binned)]
            estimates[name] = norm_interval(
                value._replace(gaps=value.gaps[:, 0]),
                value._replace(gaps=np.concatenate(gaps, axis=1)),
            )
        else:
            replicates = np.concatenate([np.asarray(values) for values in resampled])
            estimates[name] = Estimate(*percentile_interval(replicates), replicates)
    return estimates
