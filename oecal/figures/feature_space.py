"""Where ID and OOD images lie among penultimate features.

Directions in their principal plane, and distances that no plane shows.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from oecal.core.roles import OOD
from oecal.core.seeds import make_generator
from oecal.figures.style import BLACK, BOX, ROLES, SHAPES, WIDTH, display_name, make_panels
from oecal.runs.run_files import StoredRun, StoredSet, read_run

SECTION = "detection"
TITLE = "feature space"
FOR = ("classifier",)
MOST = 4  # trainings that fit beside each other
FIRST_SEED = True
CAPTION = (
    "Penultimate features of 360 in-distribution and as many OOD test images, in equal shares of "
    "the kinds of OOD, first seed, at most four trainings. Above: directions of the features "
    "(divided by their norm) in the plane of their first two principal components, with the "
    "share of variance that each explains; each training has a plane of its own; numbers: "
    "medians of the classes. Below: what such a plane hides, distance from the mean of the "
    "training images within the subspace of the class means and outside of it, over the median "
    "of in-distribution test images; both axes are logarithmic."
)
# In-distribution, and as many OOD in all, in equal shares of kinds and of the sets of a kind
IMAGES = 360
CLASSES = 20  # class numbers are written for as many at most
FLOOR = 1e-2  # of distances: the axes are logarithmic


def sample_indices(group: StoredSet, n: int) -> np.ndarray:
    """Return the indices of `n` images of a test set, the same ones for each training.

    All of them if there are fewer.
    """
    return np.sort(make_generator("features", group.set).permutation(len(group))[:n])


def choose_images(run: StoredRun) -> list[tuple[StoredSet, np.ndarray]]:
    """Return the images shown: pairs of a group and indices into it."""
    kinds = [kind for kind in OOD if run.tests(kind)]
    shares = [
        (group, IMAGES // len(kinds) // len(run.tests(kind)))
        for kind in kinds
        for group in run.tests(kind)
    ]
    return [(group, sample_indices(group, n)) for group, n in [(run.find("id"), IMAGES), *shares]]


def project_to_plane(directions: np.ndarray, inside: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Project onto the first two principal components.

    Returns the places in the plane, (N, 2), and the shares of variance that the two explain, (2,).
    directions: (N, D); inside: which of them are ID, (N,). The sign is such that the mean of ID
    lies left and below.
    """
    centred = directions - directions.mean(axis=0)
    _, singular, axes = np.linalg.svd(centred, full_matrices=False)
    at = centred @ axes[:2].T
    return at * np.where(at[inside].mean(axis=0) > 0, -1, 1), (singular**2 / (singular**2).sum())[
        :2
    ]


def compute_distances(features: np.ndarray, train: StoredSet) -> tuple[np.ndarray, np.ndarray]:
    """Return distances from the ID train mean within the subspace of class means and outside.

    (N,) each. The subspace has K - 1 dimensions, but at most half of D: else nothing would be left
    outside.
    """
    known, labels = train["features"].astype(np.float64), train["labels"]
    centre = known.mean(axis=0)
    means = np.stack([known[labels == label].mean(axis=0) for label in np.unique(labels)]) - centre
    axes = np.linalg.svd(means, full_matrices=False)[2][
        : max(1, min(len(means) - 1, known.shape[1] // 2))
    ]
    away = features - centre
    within = away @ axes.T
    return np.linalg.norm(within, axis=1), np.linalg.norm(away - within @ axes, axis=1)


def collect_data(outputs: Sequence[str]) -> pd.DataFrame:
    """Return one row per image: training, kind, label, and its place in plane and subspace.

    kind: id, near, far, synthetic. x, y: the direction f / |f| of its features in the principal
    plane of all images shown, half of them ID; explained_x, explained_y: the shares of variance
    that this explains; inside, outside: the distances, over their median on ID test.
    """
    parts = []
    for path in outputs:
        run = read_run(path, "features", "labels")
        shown = choose_images(run)
        features = np.concatenate([group["features"][index] for group, index in shown]).astype(
            np.float64
        )
        kinds = np.concatenate([np.repeat(group.role, len(index)) for group, index in shown])
        labels = np.concatenate([group["labels"][index] for group, index in shown])
        length = np.linalg.norm(features, axis=1, keepdims=True)
        at, explained = project_to_plane(features / np.where(length > 0, length, 1), kinds == "id")
        train, test = run.find("id", "train"), run.find("id")["features"].astype(np.float64)
        own, usual = (compute_distances(f, train) for f in (features, test))
        inside, outside = (f / np.median(u) for f, u in zip(own, usual, strict=True))
        columns = {
            "x": at[:, 0],
            "y": at[:, 1],
            "explained_x": explained[0],
            "explained_y": explained[1],
        }
        who = {"training": run.key["training"], "kind": kinds, "label": labels}
        parts.append(pd.DataFrame({**who, **columns, "inside": inside, "outside": outside}))
    return pd.concat(parts, ignore_index=True)


def draw_figure(data: pd.DataFrame) -> Figure:
    """Draw a column per training.

    Above: directions in the principal plane, with the medians of few ID classes. Below: the two
    distances.
    """
    trainings = list(data["training"].unique())
    side = min(WIDTH / len(trainings), 3.0)
    figure, axes = make_panels(2, len(trainings), 0.7 + 2 * side, sharex="row", sharey="row")
    for top, bottom, training in zip(*axes, trainings, strict=True):
        own = data[data["training"] == training]
        for kind, part in own.groupby("kind", sort=False):
            dots = {
                "color": ROLES[str(kind)],
                "ls": "",
                "marker": SHAPES[str(kind)],
                "ms": 2.2,
                "mew": 0,
                "alpha": 0.5,
            }
            top.plot(part["x"], part["y"], **dots)
            bottom.plot(part["inside"].clip(lower=FLOOR), part["outside"].clip(lower=FLOOR), **dots)
        classes = own[own["kind"] == "id"].groupby("label")[["x", "y"]].median()
        for label, x, y in classes.itertuples() if len(classes) <= CLASSES else ():
            top.text(x, y, str(label), fontsize=6.5, ha="center", va="center", bbox=BOX)
        top.set(
            title=display_name(training),
            xlabel=f"PC 1: {own['explained_x'].iloc[0]:.0%}",
            ylabel=f"PC 2: {own['explained_y'].iloc[0]:.0%}",
        )
        bottom.axhline(1, color=BLACK, lw=0.5, zorder=1)
        bottom.axvline(1, color=BLACK, lw=0.5, zorder=1)
        bottom.set(xlabel="distance within", xscale="log", yscale="log")
        for axis in (bottom.xaxis, bottom.yaxis):
            axis.set_major_locator(LogLocator(subs=(1, 2, 5), numticks=6))
            axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
            axis.set_minor_formatter(NullFormatter())
    axes[1][0].set_ylabel("distance outside the\nsubspace of class means")
    handles = [
        axes[0][0].plot([], [], SHAPES[k], color=ROLES[k], ms=4, mew=0)[0]
        for k in data["kind"].unique()
    ]
    labels = [
        "in-distribution" if kind == "id" else f"{kind} OOD" for kind in data["kind"].unique()
    ]
    figure.legend(handles, labels, loc="outside lower center", ncols=4)
    return figure
