"""`limits.csv`: where Outlier Exposure helps, hurts or does nothing.

Each setting of each factor under `limits` in the configuration is compared with its control.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from oecal.metrics.seed_intervals import mean_interval
from oecal.runs.run_files import RUN_COLUMNS
from oecal.tables.rows import split_corruption_names

COLUMNS = [
    "factor",
    "setting",
    "in_dist",
    "model",
    "training",
    "control",
    "measure",
    "kind",
    "ood",
    "value",
    "control_value",
    "difference",
    "low",
    "high",
    "n",
    "verdict",
]
SCORES = ("msp", "energy", "mahalanobis")
CALIBRATED = {
    "accuracy": ("accuracy", "none"),
    "ece": ("ece", "none"),
    "rms": ("rms", "none"),
    "ece_temperature": ("ece", "temperature"),
}
LIMITED = {  # what the report counts, and its name there
    ("auroc_msp", "near"): "AUROC of MSP, near",
    ("auroc_msp", "far"): "AUROC of MSP, far",
    ("auroc_msp", "synthetic"): "AUROC of MSP, synthetic",
    ("accuracy", "id"): "Accuracy",
    ("ece", "id"): "ECE on ID",
    ("ece", "pooled"): "ECE pooled with OOD",
}
WHERE = ["measure", "kind", "ood"]
HIGHER_IS_BETTER = ("auroc", "accuracy")  # how its measures' names begin
DIGITS = 12  # of a difference: what differs by rounding alone is the same


def average_rows(rows: pd.DataFrame, column: str, measure: str, by: Sequence[str]) -> pd.DataFrame:
    """Average a column over the rows of a run that agree in `by`: run, measure, by, value."""
    return (
        rows.groupby([*RUN_COLUMNS, *by], sort=False)[column]
        .mean()
        .reset_index(name="value")
        .assign(measure=measure)
    )


def measure_detection(detection: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """Yield auroc_<score> and fpr95_<score>, means over the OOD sets of a kind.

    And auroc_msp of each OOD set.
    """
    for score in SCORES:
        rows = detection[detection["score"] == score]
        for metric in ("auroc", "fpr95"):
            yield average_rows(rows, metric, f"{metric}_{score}", ["kind"])
    yield average_rows(
        detection[detection["score"] == "msp"], "auroc", "auroc_msp", ["kind", "ood"]
    )


def measure_attacks(attacks: pd.DataFrame) -> pd.DataFrame:
    """Compute auroc_msp of near and far OOD images under the study's strongest attack.

    The strongest is the one that leaves the lowest AUROC.
    """
    rows = attacks[
        (attacks["score"] == "msp")
        & attacks["role"].isin(["near", "far"])
        & (attacks["attack"] != "none")
    ]
    each = average_rows(rows, "auroc", "auroc_msp", ["attack", "levels"])
    return (
        each.groupby([*RUN_COLUMNS, "measure"], sort=False)["value"]
        .min()
        .reset_index()
        .assign(kind="attack")
    )


def measure_calibration(calibration: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """Yield accuracy, ece and rms as trained, and ece after temperature scaling.

    On ID, pooled with OOD, and the mean over all corruptions.
    """
    kind = calibration["set"].where(calibration["set"].isin(["id", "pooled"]))
    kind = kind.mask(split_corruption_names(calibration["set"])["corruption"].notna(), "corruption")
    calibration = calibration.assign(kind=kind).dropna(subset="kind")
    for measure, (column, post_hoc) in CALIBRATED.items():
        yield average_rows(
            calibration[calibration["post_hoc"] == post_hoc], column, measure, ["kind"]
        )


def count_images(trainings: pd.DataFrame) -> pd.DataFrame:
    """Count the images, ID and outliers, that each training saw.

    The training that it started from counts too; nan if that is no run of the study.
    """
    about = {
        tuple(row[column] for column in RUN_COLUMNS): row for row in trainings.to_dict("records")
    }

    def count(run: tuple[object, ...]) -> float:
        if run not in about:
            return np.nan
        in_dist, model, _, seed = run
        row = about[run]
        before = count((in_dist, model, row["init"], seed)) if isinstance(row["init"], str) else 0
        total: float = row["images"] + row["outlier_images"] + before
        return total

    return trainings[[*RUN_COLUMNS]].assign(
        measure="images", kind="", value=[count(run) for run in about]
    )


def measure_runs(detection: str, calibration: str, attacks: str, trainings: str) -> pd.DataFrame:
    """Compute all measures of all runs from the tables at these paths.

    Columns: run, measure, kind, ood, value.
    """
    parts = [
        *measure_detection(pd.read_csv(detection)),
        measure_attacks(pd.read_csv(attacks)),
        *measure_calibration(pd.read_csv(calibration)),
        count_images(pd.read_csv(trainings)),
    ]
    return (
        pd.concat([part for part in parts if len(part)]).fillna({"ood": ""}).dropna(subset="value")
    )


def compare_with_control(own: pd.DataFrame, control: pd.DataFrame) -> Iterator[dict[str, object]]:
    """Yield a row per measure that a training and its control both have, over common seeds."""
    both = own.merge(control, on=["seed", *WHERE], suffixes=("", "_control"))
    for (measure, kind, ood), part in both.groupby(WHERE, sort=False):
        change = (part["value"] - part["value_control"]).round(DIGITS)
        difference, half = mean_interval(change.to_numpy())
        low, high = difference - half, difference + half
        better, worse = (
            (low > 0, high < 0)
            if str(measure).startswith(HIGHER_IS_BETTER)
            else (high < 0, low > 0)
        )
        yield {
            "measure": measure,
            "kind": kind,
            "ood": ood,
            "value": part["value"].mean(),
            "control_value": part["value_control"].mean(),
            "difference": difference,
            "low": low,
            "high": high,
            "n": len(part),
            "verdict": "helps" if better else "hurts" if worse else "nothing",
        }


def compute_table(
    detection: str,
    calibration: str,
    attacks: str,
    trainings: str,
    settings: Sequence[Mapping[str, str]],
) -> pd.DataFrame:
    """One row per setting and measure.

    settings: see oecal.study.limit_settings; the other arguments are the paths of these tables.

    kind: of the OOD sets, or attack, id, pooled, corruption; ood: one of them, empty for the mean.
    value, control_value: means over the n seeds that both have; difference: paired by seed, with
    its Student t interval at 95%, low to high, of this row alone; nan with one seed. The measure
    images counts what a training saw in all its steps. verdict: helps or hurts if the interval
    excludes 0, else nothing.
    """
    runs = measure_runs(detection, calibration, attacks, trainings)
    rows = []
    for setting in settings:
        here = runs[(runs["in_dist"] == setting["in_dist"]) & (runs["model"] == setting["model"])]
        own, control = (here[here["training"] == setting[side]] for side in ("training", "control"))
        rows += [{**setting, **row} for row in compare_with_control(own, control)]
    return pd.DataFrame(rows, columns=COLUMNS)
