"""AUROC of MSP against the size of an attack, a curve per training.

OOD images are attacked to look safe, ID images to raise an alarm.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from matplotlib.figure import Figure

from oecal.figures.style import BLACK, display_name, draw_band, make_panels
from oecal.tables.rows import select_model

SECTION = "limits"
TITLE = "attacks"
FOR = ("classifier",)
NEEDS = "attacks"  # what an experiment must have for it
MOST = 8  # trainings: as many looks as there are
SCORE = "msp"  # the one that is attacked
CAPTION = (
    "What small changes of an image do to detection. Above: near and far OOD images, each level "
    "moved by at most so many of 255 to where the classifier is surer, against clean "
    "in-distribution test images. Below: in-distribution images moved to where it is less sure, "
    "against clean OOD images. FGSM: one step along the sign of the gradient of the confidence; "
    "PGD: ten small ones; random: as far in random directions. The attacks are against the "
    "confidence. Curve: mean over seeds and sets, band: lowest to highest seed. At most eight "
    "trainings."
)
ROWS = {"ood": "near and far OOD,\nmoved to more confidence", "id": "ID, moved to\nless confidence"}
NAMES = {"fgsm": "FGSM", "pgd": "PGD", "random": "random, as far"}


def collect_data(attacks: str, in_dist: str, model: str, trainings: Sequence[str]) -> pd.DataFrame:
    """Return one row per training, seed, moved (ood, id), attack and size: mean AUROC of MSP.

    The mean is over the sets; 0 levels, no attack, is among the sizes.
    """
    table = select_model(attacks, in_dist, model, trainings)
    table = table[table["score"] == SCORE]
    table = table.assign(
        moved=table["set"].map(lambda display_name: "id" if display_name == in_dist else "ood")
    )
    kinds = [attack for attack in table["attack"].unique() if attack != "none"]
    clean = table[table["attack"] == "none"]
    whole = pd.concat(
        [*(clean.assign(attack=kind) for kind in kinds), table[table["attack"] != "none"]]
    )
    return (
        whole.groupby(["training", "seed", "moved", "attack", "levels"], sort=False)["auroc"]
        .mean()
        .reset_index()
    )


def draw_figure(data: pd.DataFrame) -> Figure:
    """Draw a row per kind of attacked images and a column per attack.

    AUROC of MSP in percent, mean and range over seeds, by levels of 255; chance is 50.
    """
    attacks = list(data["attack"].unique())
    figure, axes = make_panels(len(ROWS), max(len(attacks), 1), 4.2, sharex=True, sharey=True)
    for row, (moved, label) in zip(axes, ROWS.items(), strict=True):
        for ax, attack in zip(row, attacks, strict=False):
            ax.axhline(50, color=BLACK, lw=0.6)
            for n, training in enumerate(data["training"].unique()):
                part = data[
                    (data["moved"] == moved)
                    & (data["attack"] == attack)
                    & (data["training"] == training)
                ]
                draw_band(
                    ax,
                    100 * part.pivot(index="levels", columns="seed", values="auroc"),
                    n,
                    marker="o",
                    ms=2.5,
                    label=display_name(training),
                )
            if row is axes[0]:
                ax.set_title(NAMES[attack])
            else:
                ax.set_xlabel("moved by at most, levels of 255")
        row[0].set_ylabel(f"AUROC, %\n{label}")
    axes[0][0].set_ylim(0, 101)
    figure.legend(*axes[0][0].get_legend_handles_labels(), loc="outside upper center", ncols=4)
    return figure
