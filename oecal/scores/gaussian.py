"""Mahalanobis distances to Gaussians of the training features, f (N, D).

Higher is more anomalous, float64 (N,).

Each class k of the training images has its mean mu_k, all share the covariance S = sum_n (f_n -
mu_k(n)) (f_n - mu_k(n))^T / N. The background has the mean mu_0 and the covariance S_0 of all
training images.

Both covariances get a ridge of 1e-9 times their mean variance, as units that are never active, or
fewer images than dimensions, make them singular. It is far above what the rounding of float32
features adds (1e-14), and far below any variance that changes a score. A pseudo-inverse would be
blind to what leaves the space that the training images span, the most anomalous images of all, and
would jump where a variance crosses its cut-off.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from oecal.scores.fit_memory import remember_fit
from oecal.scores.threads import Threads, split_into_chunks

SCORES = ("mahalanobis", "relative_mahalanobis")

RIDGE = 1e-9


class _Gaussians(NamedTuple):
    """Fitted Gaussians; the distance is Euclidean in (f - mu_0) W, with W W^T = S^-1."""

    centre: np.ndarray
    """mu_0, (D,)."""
    whitening: np.ndarray
    """W, (D, D)."""
    means: np.ndarray
    """Class means in these coordinates, (K, D)."""
    background: np.ndarray
    """W_0, (D, D), with W_0 W_0^T = S_0^-1."""


def _whitening(covariance: np.ndarray) -> np.ndarray:
    """Return W = L^-T of S + ridge = L L^T; the identity for a covariance of 0."""
    ridge = RIDGE * np.trace(covariance) / len(covariance) or 1.0
    return np.linalg.inv(np.linalg.cholesky(covariance + ridge * np.eye(len(covariance)))).T


@remember_fit
def _gaussians(train_features: np.ndarray, train_labels: np.ndarray) -> _Gaussians:
    """Fit the means of the classes that occur, and both covariances.

    The background's covariance is S plus the covariance of the means.
    """
    n, dims = train_features.shape
    classes, counts = np.unique(train_labels, return_counts=True)
    means = np.empty((len(classes), dims))

    def scatter(k: int) -> np.ndarray:
        f = train_features[train_labels == classes[k]].astype(np.float64)
        means[k] = f.mean(axis=0)
        f -= means[k]
        products: np.ndarray = f.T @ f
        return products

    with Threads() as threads:
        within = sum(threads.map(scatter, range(len(classes)))) / n
        centre = counts @ means / n
        means -= centre
        whitening, background = (
            _whitening(within),
            _whitening(within + (means * counts[:, None]).T @ means / n),
        )
        return _Gaussians(centre, whitening, means @ whitening, background)


@remember_fit
def _distances(
    features: np.ndarray, train_features: np.ndarray, train_labels: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the squared distances to the nearest class and to the background, each (N,)."""
    fit = _gaussians(train_features, train_labels)
    nearest, background = np.empty(len(features)), np.empty(len(features))

    def work(part: slice) -> None:
        f = features[part] - fit.centre
        white = f @ fit.whitening
        k = (np.square(fit.means).sum(axis=1) / 2 - white @ fit.means.T).argmin(axis=1)
        nearest[part] = np.square(white - fit.means[k]).sum(axis=1)
        background[part] = np.square(f @ fit.background).sum(axis=1)

    with Threads() as threads:
        list(threads.map(work, split_into_chunks(len(features))))
    return nearest, background


def mahalanobis(
    features: np.ndarray, train_features: np.ndarray, train_labels: np.ndarray
) -> np.ndarray:
    """min_k (f - mu_k)^T S^-1 (f - mu_k), on the last layer, without input preprocessing.

    Lee et al., NeurIPS 2018 (arXiv 1807.03888), eq. 2.
    """
    return _distances(features, train_features, train_labels)[0]


def relative_mahalanobis(
    features: np.ndarray, train_features: np.ndarray, train_labels: np.ndarray
) -> np.ndarray:
    """min_k (f - mu_k)^T S^-1 (f - mu_k) - (f - mu_0)^T S_0^-1 (f - mu_0).

    Ren et al. 2021 (arXiv 2106.09022), eqs. 2 and 3.
    """
    nearest, background = _distances(features, train_features, train_labels)
    differences: np.ndarray = nearest - background
    return differences
