"""The tables of a study for readers: in percent, mean ± half-width over seeds.

They go into the report, LaTeX and Markdown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pandas as pd

from oecal.report.summary_formats import (
    WHO,
    Summary,
    format_image_intervals,
    pivot_over_seeds,
    select_first_score,
)
from oecal.runs.run_files import RUN_COLUMNS
from oecal.tables.limits import LIMITED
from oecal.tables.promises import WHOLE
from oecal.tables.rows import split_corruption_names

# The parts of the report. Each figure names one of them in its constant SECTION.
SECTIONS = {
    "likelihood": "The likelihood paradox",
    "detection": "Detection",
    "calibration": "Calibration",
    "rejection": "Rejection and alarm",
    "limits": "Limits of Outlier Exposure",
    "cost": "Cost and training",
    "data": "Data",
}
# A column that is empty where no run has such a result.
MEASURES = {
    "likelihood": "bpd_mean",
    "calibration": "accuracy",
    "selective": "aurc",
    "intervals": "value",
    "detection_intervals": "value",
}

IMAGES = (
    "Percent, with the 95% interval over test images (bootstrap) of each trained model; "
    "change: against the first training, paired."
)


def read_tables(paths: Mapping[str, str]) -> dict[str, pd.DataFrame]:
    """Read the tables of a study by name, without the rows of n = 0, which stand for no result."""
    frames = {name: pd.read_csv(path) for name, path in paths.items()}
    return frames | {
        name: frames[name].dropna(subset=measure)
        for name, measure in MEASURES.items()
        if name in frames
    }


def summarize_results(tables: Mapping[str, pd.DataFrame]) -> list[Summary]:
    """Summarize all results, in reading order."""
    parts = [
        summarize_likelihood(tables),
        summarize_detection(tables),
        summarize_calibration(tables),
        summarize_rejection(tables),
        summarize_limits(tables),
    ]
    return [summary for part in parts for summary in part]


def summarize_likelihood(tables: Mapping[str, pd.DataFrame]) -> Iterator[Summary]:
    """Summarize the mean bits per dimension, one column per set; none without a density model."""
    if len(bits := tables["likelihood"]):
        note = "Bits per dimension; fewer means more likely."
        yield Summary(
            "likelihood",
            "likelihood",
            "Likelihood",
            note,
            pivot_over_seeds(bits, WHO, "set", "bpd_mean", percent=False),
        )


def summarize_detection(tables: Mapping[str, pd.DataFrame]) -> Iterator[Summary]:
    """Summarize detection: the mean over the sets of a kind, and each set.

    The former for each score, the latter for the first one of each model.
    """
    every = tables["detection"]
    for metric, title in (("auroc", "AUROC"), ("fpr95", "FPR95")):
        by_kind = (
            every.groupby([*RUN_COLUMNS, "score", "kind"], sort=False)[metric].mean().reset_index()
        )
        note = f"{title} in percent, mean over the OOD sets of a kind; OOD is the positive class."
        yield Summary(
            "detection",
            f"detection_{metric}",
            f"Detection: {title}",
            note,
            pivot_over_seeds(by_kind, [*WHO, "score"], "kind", metric),
        )
    for score in every.drop_duplicates("model")["score"].unique():
        for in_dist, own in every[every["score"] == score].groupby("in_dist", sort=False):
            title, table = (
                f"Detection of each set: {in_dist}, {score}",
                pivot_over_seeds(own, WHO, "ood", "auroc"),
            )
            yield Summary(
                "detection", f"detection_{in_dist}_{score}", title, "AUROC in percent.", table
            )
    if "detection_intervals" in tables and len(tables["detection_intervals"]):
        for metric, title in (("auroc", "AUROC"), ("fpr95", "FPR95")):
            own = tables["detection_intervals"]
            own = own[(own["ood"] == "all") & (own["metric"] == metric)]
            table = format_image_intervals(own, [*WHO, "seed", "score"], "kind")
            yield Summary(
                "detection",
                f"images_{metric}",
                f"Detection, intervals over images: {title}",
                IMAGES,
                table,
            )


def summarize_calibration(tables: Mapping[str, pd.DataFrame]) -> Iterator[Summary]:
    """Summarize calibration; the column of corruptions is the mean over all of them."""
    if not len(every := tables["calibration"]):
        return
    corrupted = split_corruption_names(every["set"])["corruption"].notna()
    merged = every.assign(set=every["set"].mask(corrupted, "corruptions (mean)"))
    merged = (
        merged.groupby([*RUN_COLUMNS, "post_hoc", "set"], sort=False)
        .mean(numeric_only=True)
        .reset_index()
    )
    titles = {
        "ece": "ECE",
        "rms": "RMS calibration error",
        "mean_confidence": "Mean confidence",
        "accuracy": "Accuracy",
    }
    for metric, title in titles.items():
        shown = merged if metric != "accuracy" else merged[merged["post_hoc"] == "none"]
        rows = [*WHO, "post_hoc"] if metric != "accuracy" else WHO
        note = "Percent. Pooled: with OOD images, which count as wrong."
        yield Summary(
            "calibration",
            f"calibration_{metric}",
            f"Calibration: {title}",
            note,
            pivot_over_seeds(shown, rows, "set", metric),
        )

    if "intervals" in tables and len(
        own := tables["intervals"][tables["intervals"]["metric"] == "ece"]
    ):
        table = format_image_intervals(own, [*WHO, "seed", "post_hoc"], "set")
        yield Summary(
            "calibration", "images_ece", "Calibration, intervals over images: ECE", IMAGES, table
        )


def summarize_rejection(tables: Mapping[str, pd.DataFrame]) -> Iterator[Summary]:
    """Summarize selective prediction, promises and alarms, as far as there are such tables.

    All of the first score of each model.
    """
    rows = [*WHO, "score"]
    if len(every := tables["selective"]):
        first = select_first_score(every)
        both = [
            first.assign(column=first["set"] + " " + m.upper(), value=first[m])
            for m in ("aurc", "augrc")
        ]
        note = "Percent; lower is better."
        yield Summary(
            "rejection",
            "selective",
            "Selective prediction",
            note,
            pivot_over_seeds(pd.concat(both), rows, "column", "value"),
        )
    if "promises" in tables:
        every = tables["promises"]
        every = every[every["set"].isin(WHOLE) & every["threshold"].notna()]
        if len(every):
            level = every["kind"] + " at most " + (100 * every["level"]).map("{:g}%".format)
            shown = select_first_score(every.assign(promise=every["promise"] + ": " + level))
            note = "What the thresholds led to on test images, in percent."
            yield Summary(
                "rejection",
                "promises",
                "Promises",
                note,
                pivot_over_seeds(shown, rows, "promise", "realised"),
            )
    if "drift" in tables and len(every := tables["drift"].dropna(subset="alarm_share")):
        shares = (
            select_first_score(every)
            .groupby([*RUN_COLUMNS, "score", "ood_rate"], sort=False)["alarm_share"]
            .mean()
            .reset_index()
        )
        shares = shares.assign(rate=(100 * shares["ood_rate"]).map("{:g}% OOD".format))
        note = "Streams with an alarm, in percent, at each rate of OOD images."
        yield Summary(
            "rejection",
            "alarms",
            "Alarms",
            note,
            pivot_over_seeds(shares, rows, "rate", "alarm_share"),
        )


def summarize_limits(tables: Mapping[str, pd.DataFrame]) -> Iterator[Summary]:
    """Summarize the limits of OE: a row per setting, a column per measure of LIMITED.

    The cells are differences ± half-widths; nothing if the study has no limits.
    """
    if "limits" not in tables:
        return
    every = tables["limits"][tables["limits"]["ood"].isna()]
    every = every.assign(
        column=[LIMITED.get(key, "") for key in zip(every["measure"], every["kind"], strict=True)]
    )
    every = every[every["column"] != ""]
    if len(every):
        half = (every["high"] - every["low"]) / 2
        texts = [
            f"{d:+.1f}" + ("" if pd.isna(h) else f" ± {h:.1f}")
            for d, h in zip(100 * every["difference"], 100 * half, strict=True)
        ]
        rows = ["factor", "setting", *WHO, "control", "n"]
        cells = (
            every.assign(text=texts)
            .set_index([*rows, "column"])["text"]
            .unstack("column", sort=False)
            .fillna("")
        )
        note = (
            "Training minus control, in points, over n seeds. "
            "More is better for AUROC and accuracy, less for ECE."
        )
        yield Summary(
            "limits",
            "limits",
            "Limits of Outlier Exposure",
            note,
            cells.rename_axis(columns=None).reset_index(),
        )


def summarize_setup(tables: Mapping[str, pd.DataFrame]) -> list[Summary]:
    """Summarize how the models were trained, the data sets, and what their overlap changes."""
    how = tables["trainings"].drop_duplicates(WHO).drop(columns="seed")
    note = (
        "Each with every seed. Learning rates fall to final_lr along half a cosine. "
        "precision: of the evaluation."
    )
    parts = [Summary("cost", "trainings", "Trainings", note, how.astype(object).fillna(""))]
    sets = tables["datasets"].drop(columns=["sha256", "missing", "source"])
    note = (
        "Mean and standard deviation (sd) of each channel, range [0, 1]. "
        "Removed: what was left out. Sources, checksums: datasets.csv."
    )
    parts.append(Summary("data", "datasets", "Data sets", note, sets.astype(object).fillna("")))
    if "overlap" in tables:
        pairs = tables["overlap"]
        long = pd.concat(
            [
                pairs.assign(column=f"AUROC, {side}", value=pairs[f"auroc_{side}"])
                for side in ("whole", "reduced")
            ]
        )
        rows = [*WHO, "score", "whole", "reduced", "n_out_whole", "n_out_reduced"]
        note = (
            "Percent. An OOD set as it is, "
            "and without the images or classes that overlap with other sets of the study."
        )
        table = pivot_over_seeds(long, rows, "column", "value")
        parts.append(Summary("data", "overlap", "Detection with and without overlap", note, table))
    return parts
