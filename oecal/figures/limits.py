"""Where Outlier Exposure helps, does nothing, hurts.

A row for each setting of `limits`, a column for each measure.
"""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from oecal.figures.ood_heatmap import format_percent
from oecal.figures.sentences import Tables
from oecal.figures.style import BLACK, BLUE, BOX, GREY, VERMILION, WIDTH, plt
from oecal.tables.limits import LIMITED

SECTION = "limits"
TITLE = "limits"
FOR = ("classifier",)
PER = "study"  # one file for all models
NEEDS = "limits"  # a key of the study
CAPTION = (
    "Where Outlier Exposure helps, does nothing, hurts: the difference of each setting (rows, by "
    "factor) to its control, a training of the same model, most often the one without Outlier "
    "Exposure. In percentage points, mean over seeds, paired by seed; coloured and bold where "
    "the 95% interval (Student t over seeds) excludes zero: blue helps, hatched vermilion hurts, "
    "the stronger the larger (below 1, from 1, from 10 points); grey: no difference shown, which "
    "with few seeds is not the same as none, and is all that one seed can give. Each interval "
    "stands alone: of 100 without a difference, five are coloured. AUROC of MSP: mean over the "
    "OOD sets of a kind; attacked: near and far images under the attack that leaves the least of "
    "it. ECE pooled: with OOD images, which count as wrong; corrupted: mean over corruptions of "
    "the in-distribution images. Images seen: the price, how many more images the training saw, "
    "in-distribution and outliers, percent of the control's. Intervals, n and more measures: "
    "limits.csv."
)
# Measure and kind -> heading of a group of columns, and of one.
COLUMNS = {
    ("auroc_msp", "near"): ("AUROC of MSP\n(more: better)", "near"),
    ("auroc_msp", "far"): ("AUROC of MSP\n(more: better)", "far"),
    ("auroc_msp", "synthetic"): ("AUROC of MSP\n(more: better)", "synthetic"),
    ("auroc_msp", "attack"): ("AUROC of MSP\n(more: better)", "attacked"),
    ("accuracy", "id"): ("accuracy", "ID"),
    ("ece", "id"): ("ECE\n(less: better)", "ID"),
    ("ece", "pooled"): ("ECE\n(less: better)", "pooled"),
    ("ece", "corruption"): ("ECE\n(less: better)", "corrupted"),
    ("images", ""): ("images\nseen", "%"),
}
LOOKS = {
    "helps": {"color": BLUE, "hatch": ""},
    "hurts": {"color": VERMILION, "hatch": "////"},  # in a grey print, too
}
SHADES = {10: 0.75, 1: 0.4, 0: 0.16}  # opacity from so many points on
LABELS, ROW = 2.1, 0.165  # inches: for the names of settings; height of a row, at most
SHOWN = ["factor", "setting", "group", "column", "place", "difference", "verdict"]
PLAIN = "images\nseen"  # the price; has no colour: that more images cost more is no finding


def read_limits(limits: str) -> pd.DataFrame:
    """Read limits.csv; a setting is text, even where it looks like a number or is missing."""
    texts = dict.fromkeys(("factor", "setting", "measure", "kind", "ood"), str)
    return pd.read_csv(
        limits, dtype=texts, keep_default_na=False, na_values={"low": "", "high": ""}
    )


def collect_data(limits: str) -> pd.DataFrame:
    """Return one row per factor, setting and column: group, place, difference, verdict.

    difference: in percentage points; of the images seen in percent.
    """
    table = read_limits(limits)
    table = table[table["ood"] == ""]
    parts = []
    for n, ((measure, kind), (group, column)) in enumerate(COLUMNS.items()):
        part = table[(table["measure"] == measure) & (table["kind"] == kind)]
        scale = 100 / part["control_value"] if measure == "images" else 100
        parts.append(
            part.assign(group=group, column=column, place=n, difference=scale * part["difference"])
        )
    return pd.concat(parts).sort_index(kind="stable")[SHOWN].reset_index(drop=True)


def draw_cell(
    ax: Axes, at: tuple[int, int], difference: float, verdict: str, plain: bool, size: float
) -> None:
    """Draw the difference in the colour of the verdict, the stronger the larger.

    Bold if there is a verdict.
    """
    decided = verdict != "nothing" and not plain
    colour = BLACK if decided or plain else GREY
    middle = at[0] + 0.5, at[1] + 0.52
    style = {
        "size": size,
        "ha": "center",
        "va": "center",
        "color": colour,
        "weight": "bold" if decided else "normal",
    }
    text = ax.text(*middle, format_percent(difference, "+", 5), style)
    if decided:
        opacity = next(o for least, o in SHADES.items() if abs(difference) >= least)
        face, hatch = to_rgba(LOOKS[verdict]["color"], opacity), LOOKS[verdict]["hatch"]
        ax.add_patch(
            Rectangle(
                (at[0] + 0.03, at[1] + 0.05),
                0.94,
                0.9,
                lw=0,
                facecolor=face,
                edgecolor="white",
                hatch=hatch,
            )
        )
        if hatch:
            text.set_bbox({**BOX, "pad": 0.4})


def draw_heading(ax: Axes, columns: list[tuple[str, str]], width: float, height: float) -> None:
    """Draw the names of columns, word below word where they fit, else upright.

    Above them, in at most `height` inches, the names of their groups.
    """
    flat = fits(columns, width)
    for n, (_, column) in enumerate(columns):
        text, rotation = (column.replace(" ", "\n"), 0) if flat else (column, 90)
        ax.annotate(
            text,
            (n + 0.5, 0),
            (0, 3),
            textcoords="offset points",
            size=6.5,
            ha="center",
            va="bottom",
            rotation=rotation,
        )
    groups = [group for group, _ in columns]
    for group in dict.fromkeys(groups):
        first, count = groups.index(group), groups.count(group)
        at = (first + count / 2, 0)
        ax.annotate(
            group,
            at,
            (0, 72 * height),
            textcoords="offset points",
            size=7,
            ha="center",
            va="bottom",
            color="#555555",
        )
        if first:
            ax.axvline(first, color="white", lw=2.5)
    ax.text(
        0.02,
        0,
        "difference to the control,\npercentage points\n",
        size=7,
        va="bottom",
        transform=ax.get_yaxis_transform(),
    )


def fits(columns: list[tuple[str, str]], width: float) -> bool:
    """Return whether all words of all columns fit beside each other at 6.5 points.

    Each has a cell of `width` inches.
    """
    return all(0.058 * len(word) < width for _, column in columns for word in column.split())


def draw_figure(data: pd.DataFrame) -> Figure:
    """Draw settings under the heading of their factor, columns under that of their group."""
    columns = list(
        data.sort_values("place", kind="stable")[["group", "column"]]
        .drop_duplicates()
        .itertuples(index=False, name=None)
    )
    rows: list[tuple[str, str]] = []
    for factor, part in data.groupby("factor", sort=False):
        rows += [
            (str(factor), ""),
            *((str(factor), setting) for setting in part["setting"].unique()),
        ]
    width, height = (WIDTH - LABELS) / len(columns), min(ROW, 8.4 / len(rows))
    longest = max(
        column.count(" ") + 1 if fits(columns, width) else len(column) for _, column in columns
    )
    names = 0.1 + longest * (0.1 if fits(columns, width) else 0.052)  # inches
    head = names + 0.05 + 0.12 * max(2, *(group.count("\n") + 1 for group, _ in columns))
    figure = plt.figure(figsize=(WIDTH, head + height * len(rows) + 0.3), layout="none")
    total = figure.get_figheight()
    ax = figure.add_axes((0, 0.3 / total, 1, height * len(rows) / total))
    ax.set(xlim=(-LABELS / width, len(columns)), ylim=(len(rows), 0))
    ax.set_axis_off()
    for y, (factor, setting) in enumerate(rows):
        ax.text(
            0.035 if setting else 0.02,
            y + 0.52,
            setting or factor,
            size=7,
            va="center",
            weight="normal" if setting else "bold",
            transform=ax.get_yaxis_transform(),
        )
        if not setting:
            ax.axhline(y, 0.015, 1, color=GREY, lw=0.4)
    for row in data.to_dict("records"):
        place = (
            columns.index((row["group"], row["column"])),
            rows.index((row["factor"], row["setting"])),
        )
        draw_cell(
            ax,
            place,
            row["difference"],
            row["verdict"],
            row["group"] == PLAIN,
            min(6.5, 18 * width),
        )
    draw_heading(ax, columns, width, names)
    handles = [
        Patch(
            facecolor=to_rgba(look["color"], 0.4),
            hatch=look["hatch"],
            edgecolor="white",
            label=f"Outlier Exposure {verdict}",
        )
        for verdict, look in LOOKS.items()
    ]
    figure.legend(
        handles=[*handles, Patch(facecolor="none", label="grey: no difference shown")],
        loc="lower center",
        ncols=3,
    )
    return figure


def describe_figure(tables: Tables) -> list[str]:
    """Count the settings in which Outlier Exposure helps, and in which it hurts."""
    lines, table = [], tables["limits"]
    for (measure, kind), title in LIMITED.items():
        verdicts = table[
            (table["measure"] == measure) & (table["kind"] == kind) & table["ood"].isna()
        ]["verdict"]
        if len(verdicts):
            helps, hurts = (verdicts == "helps").sum(), (verdicts == "hurts").sum()
            lines.append(
                f"{title}: helps in {helps} of {len(verdicts)} settings, hurts in {hurts}."
            )
    return lines
