"""`limits.csv`: where Outlier Exposure helps, does nothing, hurts: each setting of each factor of `limits` against its control."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from oecal.metrics.seed_intervals import mean_interval
from oecal.runs.run_files import RUN_COLUMNS
from oecal.tables.rows import corruptions

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


def mean(rows: pd.DataFrame, column: str, measure: str, by: Sequence[str]) -> pd.DataFrame:
    """Mean of a column over the rows of a run that agree in `by`: RUN, measure, by, value."""
    return (
        rows.groupby([*RUN_COLUMNS, *by], sort=False)[column]
        .mean()
        .reset_index(name="value")
        .assign(measure=measure)
    )


def detected(detection: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """auroc_<score>, fpr95_<score>: mean over the OOD sets of a kind.

    Auroc_msp of each of these, too.
    """
    for score in SCORES:
        rows = detection[detection["score"] == score]
        for metric in ("auroc", "fpr95"):
            yield mean(rows, metric, f"{metric}_{score}", ["kind"])
    yield mean(detection[detection["score"] == "msp"], "auroc", "auroc_msp", ["kind", "ood"])


def attacked(attacks: pd.DataFrame) -> pd.DataFrame:
    """auroc_msp of the near and far OOD images under that attack, of the study's, which leaves the least of it."""
    rows = attacks[
        (attacks["score"] == "msp")
        & attacks["role"].isin(["near", "far"])
        & (attacks["attack"] != "none")
    ]
    each = mean(rows, "auroc", "auroc_msp", ["attack", "levels"])
    return (
        each.groupby([*RUN_COLUMNS, "measure"], sort=False)["value"]
        .min()
        .reset_index()
        .assign(kind="attack")
    )


def calibrated(calibration: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """accuracy, ece, rms as trained, and ece after temperature scaling.

    On ID, pooled with OOD, and the mean over all corruptions.
    """
    kind = calibration["set"].where(calibration["set"].isin(["id", "pooled"]))
    kind = kind.mask(corruptions(calibration["set"])["corruption"].notna(), "corruption")
    calibration = calibration.assign(kind=kind).dropna(subset="kind")
    for measure, (column, post_hoc) in CALIBRATED.items():
        yield mean(calibration[calibration["post_hoc"] == post_hoc], column, measure, ["kind"])


def images(trainings: pd.DataFrame) -> pd.DataFrame:
    """How many images, ID and outliers, a training saw, with the ones that it started from.

    Nan if these are no runs of the study.
    """
    about = {
        tuple(row[column] for column in RUN_COLUMNS): row for row in trainings.to_dict("records")
    }

    def seen(run: tuple[object, ...]) -> float:
        if run not in about:
            return np.nan
        in_dist, model, _, seed = run
        row = about[run]
        before = seen((in_dist, model, row["init"], seed)) if isinstance(row["init"], str) else 0
        total: float = row["images"] + row["outlier_images"] + before
        return total

    return trainings[[*RUN_COLUMNS]].assign(
        measure="images", kind="", value=[seen(run) for run in about]
    )


def measured(detection: str, calibration: str, attacks: str, trainings: str) -> pd.DataFrame:
    """All measures of all runs, from the tables of these names: RUN, measure, kind, ood, value."""
    parts = [
        *detected(pd.read_csv(detection)),
        attacked(pd.read_csv(attacks)),
        *calibrated(pd.read_csv(calibration)),
        images(pd.read_csv(trainings)),
    ]
    return (
        pd.concat([part for part in parts if len(part)]).fillna({"ood": ""}).dropna(subset="value")
    )


def compared(own: pd.DataFrame, control: pd.DataFrame) -> Iterator[dict[str, object]]:
    """A row for each measure that both have, over the seeds that both have."""
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
    settings: Sequence[Mapping[str, str]],
    detection: str,
    calibration: str,
    attacks: str,
    trainings: str,
) -> pd.DataFrame:
    """A row for each setting (oecal.study.limit_settings.settings) and measure.

    Detection, ...: paths of these tables.

    kind: of the OOD sets, or attack, id, pooled, corruption; ood: one of them, empty for the mean.
    value, control_value: means over the n seeds that both have; difference: paired by seed, with
    its Student t interval at 95%, low to high, of this row alone; nan with one seed. images: that a
    training saw, in all its steps. verdict: helps or hurts if the interval excludes 0, else
    nothing.
    """
    runs = measured(detection, calibration, attacks, trainings)
    rows = []
    for setting in settings:
        here = runs[(runs["in_dist"] == setting["in_dist"]) & (runs["model"] == setting["model"])]
        own, control = (here[here["training"] == setting[side]] for side in ("training", "control"))
        rows += [{**setting, **row} for row in compared(own, control)]
    return pd.DataFrame(rows, columns=COLUMNS)
