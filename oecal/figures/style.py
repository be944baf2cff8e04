"""One quiet style for all figures: colours, names as a reader would write them, saving.

The colours are safe for colour-blind readers (Okabe & Ito 2008).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from cycler import cycler

matplotlib.use("Agg")

from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from oecal.core.files import replacing
from oecal.scores import catalogue

plt = pyplot  # figures take it from here, where the backend is chosen
BLACK, ORANGE, SKY, GREEN, GREY, BLUE, VERMILION, PURPLE = (
    "#000000",
    "#E69F00",
    "#56B4E9",
    "#009E73",
    "#7F7F7F",
    "#0072B2",
    "#D55E00",
    "#CC79A7",
)
CYCLE = [BLUE, VERMILION, GREEN, ORANGE, PURPLE, SKY, BLACK, GREY]
ROLES = {"id": BLUE, "near": VERMILION, "far": ORANGE, "synthetic": PURPLE}
SHAPES = {"id": "o", "near": "^", "far": "s", "synthetic": "D"}  # the same, for grey print
LINES = ["-", "--", ":", "-.", (0, (5, 1, 1, 1, 1, 1)), (0, (8, 2)), (0, (1, 3)), (0, (3, 3))]
MARKERS = ["o", "s", "^", "v", "P", "X", "<", ">"]
NAMES = {
    "msp": "MSP",
    "h_u_p": "H(U; p)",
    "gen": "GEN",
    "temperature_msp": "temperature-scaled MSP",
    "kl_matching": "KL matching",
    "mahalanobis": "Mahalanobis",
    "relative_mahalanobis": "relative Mahalanobis",
    "knn": "KNN",
    "nnguide": "NNGuide",
    "vim": "ViM",
    "fdbd": "fDBD",
    "she": "SHE",
    "react": "ReAct",
    "ash": "ASH",
    "scale": "SCALE",
    "dice": "DICE",
    "gradnorm": "GradNorm",
    "odin": "ODIN",
    "dropout_entropy": "MC dropout, entropy",
    "dropout_mutual_information": "MC dropout, mutual information",
    "dropout_variation_ratio": "MC dropout, variation ratio",
    "tta_msp": "TTA, MSP",
    "tta_entropy": "TTA, entropy",
    "swag_msp": "SWAG, MSP",
    "swag_entropy": "SWAG, entropy",
    "swag_mutual_information": "SWAG, mutual information",
    "ensemble_msp": "ensemble, MSP",
    "ensemble_entropy": "ensemble, entropy",
    "ensemble_mutual_information": "ensemble, mutual information",
    "laplace_msp": "Laplace, MSP",
    "laplace_entropy": "Laplace, entropy",
    "log_likelihood": "log-likelihood",
    "input_complexity": "input complexity (PNG)",
    "input_complexity_webp": "input complexity (WebP)",
    "waic": "WAIC",
    "input_gradient": "approximate mass",
    "kl": "KL term",
    "png_size": "PNG size",
    "webp_size": "WebP size",
    "zero_fraction": "fraction of zeros",
    "mean_distance": "distance to mean",
    "logit_norm": "LogitNorm",
    "mixoe": "MixOE",
}
WORDS = {
    "oe": "OE",
    "wrn": "WRN",
    "pixelcnn": "PixelCNN",
    "glow": "Glow",
    "vae": "VAE",
    "hvae": "HVAE",
    "mnist": "MNIST",
    "kmnist": "KMNIST",
    "emnist": "EMNIST",
    "notmnist": "notMNIST",
    "fashionmnist": "FashionMNIST",
    "cifar10": "CIFAR-10",
    "cifar100": "CIFAR-100",
    "svhn": "SVHN",
    "celeba": "CelebA",
    "lsun": "LSUN",
    "dtd": "DTD",
    "imagenet": "ImageNet",
    "gaussian": "Gaussian",
    "bernoulli": "Bernoulli",
    "laplace": "Laplace",
    "hopfield": "Hopfield",
}
BOX = {
    "facecolor": "white",
    "edgecolor": "none",
    "alpha": 0.7,
    "pad": 1,
}  # behind a text that may lie on bars
WIDTH = 7.0  # inches: the text width of a thesis page

plt.rcParams.update(
    {
        "font.size": 8,
        "axes.titlesize": 8.5,
        "axes.labelsize": 8,
        "legend.fontsize": 7,
        "xtick.labelsize": 7,
        "ytick.labelsize": 7,
        "legend.frameon": False,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.linewidth": 0.6,
        "axes.grid": True,
        "grid.color": "#E6E6E6",
        "grid.linewidth": 0.5,
        "axes.axisbelow": True,
        "lines.linewidth": 1.2,
        "figure.constrained_layout.use": True,
        "savefig.dpi": 200,
        "pdf.fonttype": 42,
        "svg.hashsalt": "oecal",
        "axes.prop_cycle": cycler(color=CYCLE),
    }
)


def display_name(key: str) -> str:
    """Return a configuration name as readers would write it.

    oe_tune -> OE tune, h_u_p -> H(U; p), typicality_10 -> typicality, M = 10.
    """
    if batch := re.fullmatch(r"typicality_(\d+)", key):
        return f"typicality, M = {batch[1]}"
    return NAMES.get(key) or " ".join(WORDS.get(word, word) for word in key.split("_"))


def group_by_family(scores: Iterable[str]) -> dict[str, str]:
    """Return scores and their families, one family after the other.

    A family is a file of oecal/scores; families are in order of first appearance.
    """
    of = {score: catalogue.find_score(score).family for score in scores}
    return {
        score: family
        for family in dict.fromkeys(of.values())
        for score in of
        if of[score] == family
    }


def style_curve(n: int) -> dict[str, Any]:
    """Return colour and dashes of the n-th curve; a colour that recurs has other dashes."""
    return {"color": CYCLE[n % len(CYCLE)], "ls": LINES[(n + n // len(CYCLE)) % len(LINES)]}


def draw_band(ax: Axes, curves: pd.DataFrame, n: int, **kwargs: Any) -> None:
    """Draw the n-th curve: the mean over the columns, one a seed, and a band of their range."""
    ax.fill_between(
        curves.index,
        curves.min(axis=1),
        curves.max(axis=1),
        color=style_curve(n)["color"],
        alpha=0.2,
        lw=0,
    )
    ax.plot(curves.index, curves.mean(axis=1), **style_curve(n), **kwargs)


def draw_percent_histogram(ax: Axes, values: pd.Series, bins: list[float], colour: str) -> None:
    """Draw bars of the share of the values in each bin, percent."""
    ax.hist(values, bins, weights=np.full(len(values), 100 / len(values)), color=colour, alpha=0.8)


def make_panels(
    rows: int, columns: int, height: float, **kwargs: Any
) -> tuple[Figure, list[list[Axes]]]:
    """Make a figure of the page's width with a grid of axes, `height` inches in all."""
    figure, axes = plt.subplots(rows, columns, figsize=(WIDTH, height), squeeze=False, **kwargs)
    return figure, axes.tolist()


def make_wrapped_panels(
    count: int, most: int, margin: float, height: float, **kwargs: Any
) -> tuple[Figure, list[Axes]]:
    """Make `count` axes in as few rows as hold at most `most` each, evenly filled.

    `margin` inches once, `height` for each row.
    """
    rows = -(-count // most)
    columns = -(-count // rows)
    figure, axes = make_panels(rows, columns, margin + height * rows, **kwargs)
    flat = [ax for row in axes for ax in row]
    for ax in flat[count:]:
        ax.set_axis_off()
    for ax in flat[max(0, count - columns) : count]:
        ax.tick_params(labelbottom=True)  # also where the last row ends before it
    return figure, flat[:count]


def save_figure(figure: Figure, *paths: str | Path) -> None:
    """Write the figure in the formats that the paths' suffixes name.

    No dates inside, so the same figure gives the same bytes.
    """
    figure.draw_without_rendering()  # lays the axes out, once for all formats
    for path in map(Path, paths):
        figure.set_layout_engine(
            "none"
        )  # each time: after saving a figure that has none, matplotlib gives it the default one
        kind = path.suffix.removeprefix(".")
        metadata: dict[str, None] = {"CreationDate": None} if kind == "pdf" else {"Software": None}
        with replacing(path) as temporary:
            figure.savefig(temporary, format=kind, metadata=metadata)
    plt.close(figure)
