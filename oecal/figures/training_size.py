"""Calibration against the number of training images, and against the length of training.

A curve per objective; the images are different ones.
"""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from oecal.figures.style import display_name, draw_band, make_panels
from oecal.runs.run_files import RUN_COLUMNS
from oecal.tables.rows import add_excess, select_model

SECTION = "cost"
TITLE = "training size and length"
FOR = ("classifier",)
ASKED = True  # only of a model whose trainings differ in size and length alone
CAPTION = (
    "Size and length of the training against calibration, as trained. Above: the number of "
    "different in-distribution training images, with as many steps each; below: the number of "
    "steps, with all training images. Both axes logarithmic; curve: mean over seeds, band: "
    "lowest to highest seed (a training, not a resample, each). Confidence minus accuracy is "
    "above 0 where the model is over-confident on in-distribution test images. Pooled: with OOD "
    "images at `measures.ood_ratio`, which count as wrong. The validation images are the same "
    "for all."
)
PANELS = {
    ("id", "accuracy"): "accuracy on ID, %",
    ("id", "ece"): "ECE on ID, %",
    ("id", "excess"): "confidence minus accuracy,\nID, %",
    ("pooled", "ece"): "ECE pooled with OOD, %",
}
AXES = {"train_images": "different training images", "steps": "steps of training"}


def collect_data(
    calibration: str, trainings_table: str, datasets: str, in_dist: str, model: str
) -> pd.DataFrame:
    """Return one row per run, set (id, pooled) and axis: at, accuracy, ece, excess; as trained.

    Further columns: objective, seed. datasets: datasets.csv, for the number of all training images.
    On the axis `train_images` stand the trainings of the most common number of steps, on the axis
    `steps` those with all training images.
    """
    about = select_model(trainings_table, in_dist, model)
    sizes = pd.read_csv(datasets)
    whole = int(sizes[(sizes["name"] == in_dist) & (sizes["split"] == "train")]["n"].iloc[0])
    about = about.assign(
        train_images=about["train_images"].where(about["train_images"] > 0, whole).clip(upper=whole)
    )
    parts = [
        about[about["steps"] == about["steps"].mode().iloc[0]].assign(axis="train_images"),
        about[about["train_images"] == whole].assign(axis="steps"),
    ]
    places = pd.concat([part.assign(at=part[part["axis"].iloc[0]]) for part in parts if len(part)])
    table = select_model(calibration, in_dist, model)
    table = table[(table["post_hoc"] == "none") & table["set"].isin(["id", "pooled"])]
    both: pd.DataFrame = places[[*RUN_COLUMNS, "objective", "axis", "at"]].merge(
        add_excess(table)[[*RUN_COLUMNS, "set", "accuracy", "ece", "excess"]], on=list(RUN_COLUMNS)
    )
    return both.drop(columns=["in_dist", "model", "training"]).sort_values(
        ["axis", "at"], kind="stable", ignore_index=True
    )


def draw_figure(data: pd.DataFrame) -> Figure:
    """Draw a row per axis (images, steps), a column per measure and set, a curve per objective.

    In percent, mean and range over seeds.
    """
    figure, axes = make_panels(len(AXES), len(PANELS), 4.2, sharey="col")
    for row, (axis, label) in zip(axes, AXES.items(), strict=True):
        ticks = sorted(data[data["axis"] == axis]["at"].unique())
        for ax, ((key, column), title) in zip(row, PANELS.items(), strict=True):
            for n, objective in enumerate(data["objective"].unique()):
                part = data[
                    (data["axis"] == axis) & (data["set"] == key) & (data["objective"] == objective)
                ]
                draw_band(
                    ax,
                    100 * part.pivot_table(index="at", columns="seed", values=column),
                    n,
                    marker="o",
                    ms=3,
                    label=display_name(objective),
                )
            ax.set(xscale="log", xlabel=label)
            ax.set_xticks(ticks, [f"{tick:,}" for tick in ticks], rotation=30)
            ax.xaxis.set_minor_locator(NullLocator())
            if row is axes[0]:
                ax.set_title(title)
            if column == "excess":
                ax.axhline(0, color="black", lw=0.6)
    for ax in (axes[0][1], axes[0][3]):
        ax.set_ylim(bottom=0)
    figure.legend(*axes[0][0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    return figure
