"""Published numbers beside this study's own, and where the protocols differ.

For a study with the same published in-distribution set.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from oecal.figures.sentences import format_over_seeds

# A row for each number: of which rows and column of our tables it is the counterpart; baseline,
# oe_tune: as they have it, fractions.
OF_OE = Path(__file__).with_name("published_oe.csv")
# AUROC of density models on one OOD set each, a row for each training.
OF_DENSITIES = Path(__file__).parents[1] / "figures/published_density.csv"
TRAININGS = ["baseline", "oe_tune"]
WHERE = ["score", "post_hoc", "set", "ood"]
NAMES = {
    "ap_out": "AUPR",
    "auroc": "AUROC",
    "fpr95": "FPR95",
    "rms_official": "RMS",
    "mad": "MAD",
    "soft_f1": "soft F1",
    "bpd_mean": "bits/dim",
}
UNSCALED = ("temperature", "bpd_mean")
SPREAD = (
    "Spread: theirs is that of ten draws of OOD images for one checkpoint; "
    "after our ± is a 95% interval over trainings (Student t)."
)
OUTLIERS = "Auxiliary outliers: theirs 80 Million Tiny Images, withdrawn since; ours {}."
TESTS = (
    "OOD sets: theirs are eight or nine others, "
    "one OOD image for five in-distribution ones in each; ours {}, the share of OOD {}."
)
RECALL = "FPR95: theirs at the recall nearest to 95%, ours at the first one that reaches it."
POOL = (
    "Pooled: theirs is the mean over pools with one OOD set each, ours one pool of all sets. "
    "Their code leaves out the bin of the most confident images; "
    "so does RMS here, in this table only, while our MAD counts it."
)
MODELS = "Models and lengths differ: ours are {}."
EXACT = (
    "Likelihoods: of VAEs and diffusion models they are bounds; "
    "batches and compressors as the source says."
)


def read_published_numbers() -> pd.DataFrame:
    """Read all published numbers into one table, '' where a paper does not say.

    Columns: in_dist, network, table, column, WHERE, TRAININGS, reference.
    """
    densities = pd.read_csv(OF_DENSITIES).rename(columns={"model": "network"})
    densities["reference"] += "; " + densities["note"]
    same = ["in_dist", "network", "ood", "score", "reference"]
    wide = densities.pivot_table(
        index=same, columns="training", values="auroc", sort=False
    ).reset_index()
    columns = ["in_dist", "network", "table", "column", *WHERE, *TRAININGS, "reference"]
    both = pd.concat(
        [pd.read_csv(OF_OE), wide.assign(table="detection", column="auroc")], ignore_index=True
    ).reindex(columns=columns)
    return both.astype(object).fillna("")


def select_counterpart(
    tables: Mapping[str, pd.DataFrame], row: Mapping[Any, Any], in_dist: str, oods: list[str]
) -> pd.DataFrame:
    """Select the rows of our table that a published number can be compared with, of one model.

    The model is the one of the same architecture, or else the first.
    """
    rows = tables[str(row["table"])]
    rows = rows[(rows["in_dist"] == in_dist) & rows["training"].isin(TRAININGS)]
    for column in ("score", "post_hoc", "set"):
        rows = rows[rows[column] == row[column]] if row[column] else rows
    rows = rows[rows["ood"].isin(oods)] if row["ood"] else rows
    rows = rows[rows["set"] == in_dist] if row["table"] == "likelihood" else rows
    models = list(rows["model"].unique())
    alike = [
        model for model in models if str(row["network"]).lower().startswith(model.split("_")[0])
    ]
    return rows[rows["model"].isin((alike or models)[:1])]


def compare_with_published(
    tables: Mapping[str, pd.DataFrame], sources: Mapping[str, str]
) -> pd.DataFrame:
    """Make a table with a row per published number that this study has a counterpart of.

    Baseline and OE fine-tuned, in percent except temperature and bits. sources: data set of the
    study -> published data set.
    """
    rows_beside, there = [], read_published_numbers()
    for in_dist in dict.fromkeys(tables["trainings"]["in_dist"]):
        for row in there[there["in_dist"] == sources.get(in_dist, "-")].to_dict("records"):
            oods = [name for name, published in sources.items() if published == row["ood"]]
            rows, column = select_counterpart(tables, row, in_dist, oods), str(row["column"])
            if not len(rows):
                continue
            percent = column not in UNSCALED
            seeds = rows.groupby(["training", "seed"], sort=False)[column].mean()
            own = [
                format_over_seeds(seeds[t], percent)
                if t in seeds.index.get_level_values(0)
                else "–"
                for t in TRAININGS
            ]
            theirs = [
                f"{row[t] * 100:.2f}" if percent else f"{row[t]:.3f}"
                for t in TRAININGS
                if row[t] != ""
            ]
            about = [
                row["score"],
                row["set"],
                "temperature scaling" if row["post_hoc"] == "temperature" else "",
                row["ood"],
            ]
            mean = "mean over OOD sets" if row["table"] == "detection" and not row["ood"] else ""
            rows_beside.append(
                {
                    "in_dist": in_dist,
                    "number": ", ".join(
                        str(part) for part in [NAMES.get(column, column), *about, mean] if part
                    ),
                    "n": rows["seed"].nunique(),
                    "published": " → ".join(theirs),
                    "this study": " → ".join(own[: len(theirs)]),
                    "their model": row["network"],
                    "our model": rows["model"].iloc[0],
                    "source": row["reference"],
                }
            )
    return pd.DataFrame(rows_beside)


def list_differences(tables: Mapping[str, pd.DataFrame], table: pd.DataFrame) -> list[str]:
    """List what else differs between the two, a sentence each."""
    shown = tables["trainings"][
        tables["trainings"]["in_dist"].isin(table["in_dist"])
        & tables["trainings"]["training"].isin(TRAININGS)
    ]
    about = shown.drop_duplicates(["model", "training"]).to_dict("records")
    models = "; ".join(
        f"{row['model']}, {row['training']}: "
        f"{row['parameters']:,} parameters, {row['epochs']:g} epochs"
        for row in about
    )
    rows = tables["detection"][tables["detection"]["in_dist"].isin(table["in_dist"])]
    shares = (100 * rows["base_rate"]).round(1)
    low, high = shares.min(), shares.max()
    between = f"{low:g}%" if low == high else f"{low:g} to {high:g}%"
    outliers = "; ".join(shown["outliers"].dropna().unique()) or "none"
    return [
        MODELS.format(models),
        OUTLIERS.format(outliers),
        TESTS.format(", ".join(rows["ood"].unique()), between),
        RECALL,
        POOL,
        SPREAD,
        *([EXACT] if len(tables["likelihood"]) else []),
    ]
