"""What a figure shows in a study, in numbers: sentences for the report, computed from the tables."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping

import pandas as pd

from oecal.metrics.intervals import mean_interval
from oecal.metrics.ranks import critical_difference, mean_ranks
from oecal.options import constant
from oecal.tables.promises import WHOLE
from oecal.tables.rows import corruptions

Tables = Mapping[str, pd.DataFrame]
LIMITED = {
    ("auroc_msp", "near"): "AUROC of MSP, near",
    ("auroc_msp", "far"): "AUROC of MSP, far",
    ("auroc_msp", "synthetic"): "AUROC of MSP, synthetic",
    ("accuracy", "id"): "Accuracy",
    ("ece", "id"): "ECE on ID",
    ("ece", "pooled"): "ECE pooled with OOD",
}


def over_seeds(values: pd.Series, percent: bool = True) -> str:
    """`97.1 ± 0.4`: mean and half-width of the 95% interval over seeds."""
    mean, half = mean_interval(values.to_numpy() * (100 if percent else 1))
    digits = 1 if percent else 2
    return f"{mean:.{digits}f}" + ("" if math.isnan(half) else f" ± {half:.{digits}f}")


def seen(figure: str, tables: Tables, in_dist: str = "", model: str = "", training: str = "") -> str:
    """A sentence per training that the figure shows, or on its only one; empty where there is nothing to add to the figure.

    A figure of the whole study has no in_dist and model.
    """
    if figure == "limits":
        return " ".join(limited(tables["limits"]))
    own = {k: t[(t["in_dist"] == in_dist) & (t["model"] == model)] for k, t in tables.items() if "model" in t}
    helpers = own["trainings"][own["trainings"]["objective"] == "background"]["training"]
    own = {k: t[~t["training"].isin(helpers)] for k, t in own.items()}
    if figure == "oe_gain":
        return " ".join(gained(own, training))
    if training:
        own = {k: t[t["training"] == training] for k, t in own.items()}
    match figure:
        case "oe_density_gain":
            lines = repaired(in_dist, own)
        case "likelihood_histograms":
            lines = inverted(own, "log_likelihood")
        case "roc":
            lines = inverted(own)
        case "ood_heatmap" | "density_scores":
            lines = best(own)
        case "score_rank":
            lines = ranked(own)
        case "compute_cost":
            lines = priced(own)
        case "reliability":
            lines = calibrated(own)
        case "id_or_pooled":
            lines = bought(own)
        case "prevalence":
            lines = prevalent(own)
        case "confidence_histograms":
            lines = confident(own)
        case "risk_coverage":
            lines = risky(own)
        case "shift_calibration":
            lines = shifted(own)
        case "paths":
            lines = led_away(own)
        case "pit":
            lines = likely(in_dist, own)
        case "decomposition":
            lines = decomposed(own)
        case "promises":
            lines = promised(own)
        case "resampled":
            lines = broken(own)
        case "drift":
            lines = alarmed(own)
        case _:
            lines = []
    return " ".join(lines)


def limited(table: pd.DataFrame) -> list[str]:
    """In how many settings Outlier Exposure helps, and hurts."""
    lines = []
    for (measure, kind), title in LIMITED.items():
        found = table[(table["measure"] == measure) & (table["kind"] == kind) & table["ood"].isna()]["verdict"]
        if len(found):
            counts = f"helps in {(found == 'helps').sum()} of {len(found)} settings, hurts in {(found == 'hurts').sum()}"
            lines.append(f"{title}: {counts}.")
    return lines


def inverted(tables: Tables, score: str = "") -> list[str]:
    """Sets that look more normal than the data, by this score, or by the first one that each training and seed has."""
    lines, found = [], tables["detection"]
    runs = found.groupby("score", sort=False)[["training", "seed"]].apply(lambda part: len(part.drop_duplicates()))
    score = score or str(runs.idxmax())
    for training, rows in found.groupby("training", sort=False):
        aurocs = rows[rows["score"] == score].groupby("ood", sort=False)["auroc"].mean()
        below = [f"{name} ({100 * value:.1f})" for name, value in aurocs.items() if value < 0.5]
        lines.append(f"{training}: AUROC (%) below 50 for {', '.join(below) if below else 'no OOD set'}.")
    return lines


def best(tables: Tables) -> list[str]:
    """The best score, and the hardest set for the first one."""
    lines = []
    for training, rows in tables["detection"].groupby("training", sort=False):
        mean, first = rows.groupby("score", sort=False)["auroc"].mean(), rows["score"].iloc[0]
        aurocs = rows[rows["score"] == first].groupby("ood", sort=False)["auroc"].mean()
        lines.append(f"{training}: mean AUROC over all sets {100 * mean.max():.1f}% with {mean.idxmax()}, the best score here; "
                     f"hardest set {aurocs.idxmin()} ({100 * aurocs.min():.1f}% with {first}).")  # fmt: skip
    return lines


def gained(tables: Tables, training: str) -> list[str]:
    """How many scores a training lifts, and which most and least: AUROC, mean over all OOD sets, change within a seed."""
    rows = tables["detection"]
    first = rows["training"].iloc[0]
    means = rows.groupby(["training", "score", "seed"], sort=False)["auroc"].mean()
    change = (means[training] - means[first]).dropna()
    mean = change.groupby("score", sort=False).mean()
    if mean.empty:
        return []
    most, least = (f"{score} ({over_seeds(change[score])} points)" for score in (mean.idxmax(), mean.idxmin()))
    return [f"{training} minus {first}, AUROC over all sets: higher with {(mean > 0).sum()} of {len(mean)} scores, "
            f"most with {most}, least with {least}."]  # fmt: skip


def ranked(tables: Tables) -> list[str]:
    """The score of the best mean rank, and how many cannot be told from it."""
    lines = []
    for training, rows in list(tables["detection"].groupby("training", sort=False))[: constant("figures", "score_rank", "MOST")]:
        table = rows.groupby(["ood", "score"], sort=False)["auroc"].mean().unstack(sort=False)
        if len(table.columns) > 1:
            ranks = pd.Series(mean_ranks(table.to_numpy()), table.columns)
            near = (ranks <= ranks.min() + critical_difference(len(ranks), len(table))).sum()
            lines.append(f"{training}: best mean rank {ranks.min():.1f} with {ranks.idxmin()}; "
                         f"{near} of {len(ranks)} scores are within the critical difference of it.")  # fmt: skip
    return lines


def priced(tables: Tables) -> list[str]:
    """The best score, and the best of those that need no more than the one forward pass."""
    lines, costs = [], tables["costs"]
    for training, rows in list(tables["detection"].groupby("training", sort=False))[: constant("figures", "compute_cost", "MOST")]:
        spent = costs[costs["training"] == training].groupby("score", sort=False).mean(numeric_only=True)
        table = spent.assign(auroc=rows.groupby("score", sort=False)["auroc"].mean())
        single = table[table["seconds_predict"] <= table["seconds_forward"] * (1 + 1e-9)]
        if len(single.dropna()):
            tops = [t.dropna().sort_values("auroc").iloc[-1] for t in (table, single)]
            said = [f"{top.name} ({100 * top['auroc']:.1f}%, {top['seconds_predict'] + top['seconds_score']:.2g} s)" for top in tops]
            rest = ", which needs one forward pass" if said[0] == said[1] else f"; with one forward pass {said[1]}"
            lines.append(f"{training}, mean AUROC and seconds for 1,000 images: best {said[0]}{rest}.")
    return lines


def uncalibrated(tables: Tables) -> Iterable[tuple[Hashable, pd.DataFrame]]:
    """Each training with its rows of the calibration table before post-hoc calibration."""
    calibration = tables["calibration"]
    return calibration[calibration["post_hoc"] == "none"].groupby("training", sort=False)


def calibrated(tables: Tables) -> list[str]:
    """ECE and over- or under-confidence, without post-hoc calibration."""
    lines = []
    for training, rows in uncalibrated(tables):
        for name in ("id", "pooled"):
            if len(part := rows[rows["set"] == name]):
                lean = (part["mean_confidence"] - part["accuracy"]).mean()
                word = "over-confident" if lean > 0 else "under-confident"
                lines.append(f"{training}, {name}: ECE {over_seeds(part['ece'])}%, on average {word} by {100 * abs(lean):.1f} points.")
    return lines


def bought(tables: Tables) -> list[str]:
    """What each training after the first changes in ECE, pooled and on ID alone, as trained and after temperature scaling."""
    calibration = tables["calibration"]
    ece = calibration.pivot_table(index=["post_hoc", "set", "seed"], columns="training", values="ece", sort=False)
    lines, (first, *others) = [], list(ece.columns)
    for training in others:
        change = (ece[training] - ece[first]).dropna()
        said = [f"{over_seeds(change[post_hoc, name])} {where}{'' if post_hoc == 'none' else ' after temperature scaling'}"
                for post_hoc in ("none", "temperature") for name, where in (("pooled", "pooled"), ("id", "on in-distribution images"))
                if (post_hoc, name) in {key[:2] for key in change.index}]  # fmt: skip
        lines.append(f"{training} minus {first}, ECE in points: {', '.join(said)}.")
    return lines


def prevalent(tables: Tables) -> list[str]:
    """ECE at each share of OOD, as trained."""
    table = tables["prevalence"]
    lines = []
    for training, rows in table[table["post_hoc"] == "none"].groupby("training", sort=False):
        rates = {rate: rows[rows["ood_rate"] == rate]["ece"] for rate in sorted(rows["ood_rate"].unique())}
        said = [f"{over_seeds(values)}% at {100 * rate:g}% OOD" for rate, values in rates.items()]
        lines.append(f"{training}: ECE {', '.join(said)}.")
    return lines


def confident(tables: Tables) -> list[str]:
    """Mean confidence without and with OOD images."""
    lines = []
    for training, rows in uncalibrated(tables):
        mean = rows.groupby("set")["mean_confidence"].mean()
        if "pooled" in mean:
            lines.append(f"{training}: mean confidence {100 * mean['id']:.1f}% on in-distribution images, "
                         f"{100 * mean['pooled']:.1f}% with OOD mixed in.")  # fmt: skip
    return lines


def risky(tables: Tables) -> list[str]:
    """AURC of the first score."""
    selective = tables["selective"]
    first = selective[selective["score"] == selective["score"].iloc[0]] if len(selective) else selective
    parts = first.groupby(["training", "set"], sort=False)
    return [f"{training}, {name}: AURC {over_seeds(part['aurc'])}%." for (training, name), part in parts]


def repaired(in_dist: str, tables: Tables) -> list[str]:
    """A sentence on each training after the first: what it changes in bits/dim on ID test, and which sets it lifts above chance."""
    likelihood, detection = tables["likelihood"], tables["detection"]
    bits = likelihood[likelihood["set"] == in_dist].pivot(index="seed", columns="training", values="bpd_mean")
    auroc = detection[detection["score"] == "log_likelihood"].groupby(["training", "ood"], sort=False)["auroc"].mean().unstack(0)
    first, *others = list(dict.fromkeys(likelihood["training"]))
    below = auroc.index[auroc[first] < 0.5]
    lines = [f"{first}: {len(below)} of {len(auroc)} OOD sets have an AUROC below 50%." if len(auroc) else ""]
    for training in others:
        lifted = [name for name in below if auroc.loc[name, training] >= 0.5]
        change = over_seeds(bits[training] - bits[first], percent=False)
        lines.append(f"{training}: {change} bits/dim on in-distribution images; lifts {', '.join(lifted) or 'none'} of these above 50%.")
    return lines


def shifted(tables: Tables) -> list[str]:
    """Over- or under-confidence under the strongest corruptions."""
    lines = []
    for training, rows in uncalibrated(tables):
        parts = corruptions(rows["set"]).dropna()
        if len(parts):
            worst = rows.loc[parts.index][parts["severity"] == parts["severity"].max()]
            lean, accuracy = (worst["mean_confidence"] - worst["accuracy"]).mean(), worst.groupby("seed")["accuracy"].mean()
            lines.append(f"{training}, severity {parts['severity'].max()}: accuracy {over_seeds(accuracy)}%, "
                         f"confidence {'above' if lean > 0 else 'below'} it by {100 * abs(lean):.1f} points.")  # fmt: skip
    return lines


def led_away(tables: Tables) -> list[str]:
    """Confidence, or bits per dimension, at the start and at the end of the paths."""
    lines = []
    for training, rows in tables["paths"].groupby("training", sort=False):
        percent = rows["confidence"].notna().any()
        value, unit, what = ("confidence", "%", "confidence") if percent else ("bpd", "", "bits/dim")
        start, *_, end = (part.groupby("set", sort=False)[value].mean() for _, part in rows.groupby("t"))
        scale, digits = (100, 0) if percent else (1, 2)
        ends = ", ".join(f"{name} {scale * x:.{digits}f}{unit}" for name, x in end.items())
        lines.append(f"{training}: {what} {scale * start.mean():.{digits}f}{unit} at the start; at the end: {ends}.")
    return lines


def likely(in_dist: str, tables: Tables) -> list[str]:
    """How far from uniform the p-values of ID test images are, and which sets are more likely than nearly all ID images."""
    lines = []
    for training, rows in tables["pit"].groupby("training", sort=False):
        inside, above = rows[rows["set"] == in_dist], rows.groupby("set", sort=False)["above_95"].mean()
        sets = [f"{name} ({100 * share:.0f}%)" for name, share in above.items() if share > 0.5]
        lines.append(f"{training}: p at most 0.05 for {over_seeds(inside['below_05'])}% of the in-distribution test images; more likely "
                     f"than 95% of the validation images is most of {', '.join(sets) or 'no set'}.")  # fmt: skip
    return lines


def decomposed(tables: Tables) -> list[str]:
    """The score that best tells OOD from ambiguous images."""
    lines = []
    for training, rows in tables["decomposition"].groupby("training", sort=False):
        means = rows.groupby("score", sort=False)[["auroc_ood_ambiguous", "auroc_ambiguous"]].mean()
        best = means.loc[str(means["auroc_ood_ambiguous"].idxmax())]
        above = (means["auroc_ood_ambiguous"] > 0.5).sum()
        lines.append(f"{training}: OOD ranks above ambiguous images with {above} of {len(means)} scores, most with {best.name} "
                     f"(AUROC {100 * best['auroc_ood_ambiguous']:.1f}%; ambiguous against in-distribution images "
                     f"{100 * best['auroc_ambiguous']:.1f}%).")  # fmt: skip
    return lines


def promised(tables: Tables) -> list[str]:
    """How many promises were kept, over all scores and seeds that have a threshold."""
    table = tables["promises"]
    whole = table[table["set"].isin(WHOLE) & table["threshold"].notna()]
    parts = whole.groupby(["promise", "training"], sort=False)["kept"]
    return [f"{', '.join(map(str, who))}: kept in {int(kept.sum())} of {len(kept)} cases." for who, kept in parts]


def broken(tables: Tables) -> list[str]:
    """How often each promise is broken, with each kind of outliers: the least and the most over scores and seeds."""
    lines, names = [], {"like_test": ", outliers like those that arrive", "auxiliary": ", auxiliary outliers", "none": ""}
    table = tables["resampled"]
    there = table[table["without"] < table["splits"]]
    for (training, promise, outliers), rows in there.groupby(["training", "promise", "outliers"], sort=False):
        shares = f"{100 * rows['exceeds_pool'].min():.0f} to {100 * rows['exceeds_pool'].max():.0f}%"
        lines.append(f"{training}, {promise}{names[str(outliers)]}: broken in {shares} of the splits, judged on all images.")
    return lines


def alarmed(tables: Tables) -> list[str]:
    """The share of streams with an alarm at each OOD rate, with the first score."""
    table = tables["drift"]
    lines, first = [], table[table["score"] == table["score"].iloc[0]] if len(table) else table
    for training, rows in first.groupby("training", sort=False):
        shares = rows.groupby("ood_rate")["alarm_share"].mean().reset_index().to_numpy()
        said = ", ".join(f"{100 * share:.0f}% of the streams at an OOD rate of {100 * rate:g}%" for rate, share in shares)
        lines.append(f"{training!s}, {first['score'].iloc[0]!s}: an alarm in {said}.")
    return lines
