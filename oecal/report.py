"""The report: one self-contained HTML page with tables, figures, captions, and a sentence on what is seen, computed from the tables."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd

from oecal.metrics.intervals import mean_interval
from oecal.results import RUN

TEMPLATE = Path(__file__).with_name("report.html.jinja")
WHO = ["in_dist", "model", "training"]


def over_seeds(values: pd.Series, percent: bool = True) -> str:
    """`97.1 ± 0.4`: mean and half-width of the 95% interval over seeds."""
    mean, half = mean_interval(values.to_numpy() * (100 if percent else 1))
    digits = 1 if percent else 2
    return f"{mean:.{digits}f}" + ("" if math.isnan(half) else f" ± {half:.{digits}f}")


def wide(table: pd.DataFrame, rows: list[str], column: str, value: str, percent: bool = True) -> pd.DataFrame:
    """Mean over seeds of `value`: a row for each of `rows`, a column for each value of `column`, in their order of appearance."""
    order = table[column].unique()
    cells = table.groupby([*rows, column], sort=False)[value].agg(lambda v: over_seeds(v, percent)).unstack(column, sort=False)
    return cells[order].fillna("").reset_index()


def summaries(tables: Mapping[str, pd.DataFrame]) -> list[tuple[str, str, pd.DataFrame]]:
    """Title, note and content of each table of the report, in reading order."""
    detection, calibration, selective, likelihood = (tables[k] for k in ("detection", "calibration", "selective", "likelihood"))
    found = []
    if len(likelihood):
        note = "Bits per dimension; fewer means more likely."
        found.append(("Likelihood", note, wide(likelihood, WHO, "set", "bpd_mean", percent=False)))
    by_kind = detection.groupby([*RUN, "score", "kind"], sort=False)["auroc"].mean().reset_index()
    note = "AUROC in percent, mean over the OOD sets of a kind; OOD is the positive class."
    found.append(("Detection", note, wide(by_kind, [*WHO, "score"], "kind", "auroc")))
    for score in detection.drop_duplicates("model")["score"].unique():
        part = detection[detection["score"] == score]
        for in_dist, own in part.groupby("in_dist", sort=False):
            found.append((f"Detection of each set: {in_dist}, {score}", "AUROC in percent.", wide(own, WHO, "ood", "auroc")))
    if len(calibration):
        # One name for the corruptions: the mean over all of them and their severities.
        merged = calibration.assign(set=calibration["set"].where(~calibration["set"].str.contains("-"), "corruptions (mean)"))
        merged = merged.groupby([*RUN, "post_hoc", "set"], sort=False).mean(numeric_only=True).reset_index()
        titles = {"ece": "ECE", "rms": "RMS calibration error", "mean_confidence": "Mean confidence", "accuracy": "Accuracy"}
        for metric, title in titles.items():
            shown = merged if metric != "accuracy" else merged[merged["post_hoc"] == "none"]
            rows = [*WHO, "post_hoc"] if metric != "accuracy" else WHO
            note = "Percent. Pooled: with OOD images, which count as wrong."
            found.append((f"Calibration: {title}", note, wide(shown, rows, "set", metric)))
    if len(selective):
        first = selective[selective["score"] == selective["score"].iloc[0]]
        both = [first.assign(column=first["set"] + " " + m.upper(), value=first[m]) for m in ("aurc", "augrc")]
        note = f"Percent; lower is better. Score: {first['score'].iloc[0]}."
        found.append(("Selective prediction", note, wide(pd.concat(both), WHO, "column", "value")))
    return found


def data_tables(tables: Mapping[str, pd.DataFrame]) -> list[tuple[str, str, pd.DataFrame]]:
    """The same for the data sets, and for what overlap between them changes, if the study has such a pair."""
    sets = tables["datasets"].drop(columns=["sha256", "missing", "source"])
    note = "Mean and standard deviation (sd) of each channel, range [0, 1]. Removed: what was left out. Sources, checksums: datasets.csv."
    found = [("Data sets", note, sets.astype(object).fillna(""))]
    how = tables["trainings"].drop_duplicates(WHO).drop(columns="seed")
    found.append(("Trainings", "Each with every seed. Learning rates fall to final_lr along half a cosine.", how.astype(object).fillna("")))
    if "overlap" in tables:
        pairs = tables["overlap"]
        long = pd.concat([pairs.assign(column=f"AUROC, {side}", value=pairs[f"auroc_{side}"]) for side in ("whole", "reduced")])
        rows = [*WHO, "score", "whole", "reduced", "n_out_whole", "n_out_reduced"]
        note = "Percent. An OOD set as it is, and without the images or classes that overlap with other sets of the study."
        found.append(("Detection with and without overlap", note, wide(long, rows, "column", "value")))
    return found


def seen(figure: str, in_dist: str, model: str, tables: Mapping[str, pd.DataFrame]) -> str:
    """What a figure shows in this study, in numbers: a sentence per training. Empty where there is nothing to add to the figure."""
    own = {k: t[(t["in_dist"] == in_dist) & (t["model"] == model)] for k, t in tables.items() if "model" in t}
    helpers = own["trainings"][own["trainings"]["objective"] == "background"]["training"]
    own = {k: t[~t["training"].isin(helpers)] for k, t in own.items()}
    detection, calibration, selective = own["detection"], own["calibration"], own["selective"]
    lines = repaired(in_dist, own) if figure == "oe_density_gain" else []
    for training, rows in detection.groupby("training", sort=False):
        score = "log_likelihood" if figure == "likelihood_histograms" else rows["score"].iloc[0]
        aurocs = rows[rows["score"] == score].groupby("ood", sort=False)["auroc"].mean()
        if figure in ("likelihood_histograms", "roc"):
            below = [f"{name} ({100 * value:.1f})" for name, value in aurocs.items() if value < 0.5]
            lines.append(f"{training}: AUROC (%) below 50 for {', '.join(below) if below else 'no OOD set'}.")
        if figure in ("detection_heatmap", "density_scores"):
            mean = rows.groupby("score", sort=False)["auroc"].mean()
            lines.append(f"{training}: mean AUROC over all sets {100 * mean.max():.1f}% with {mean.idxmax()}, the best score here; "
                         f"hardest set {aurocs.idxmin()} ({100 * aurocs.min():.1f}% with {score}).")  # fmt: skip
    for training, rows in calibration[calibration["post_hoc"] == "none"].groupby("training", sort=False):
        at = dict(iter(rows.groupby("set")))
        if figure == "reliability":
            for name, part in at.items():
                if name in ("id", "pooled"):
                    lean = (part["mean_confidence"] - part["accuracy"]).mean()
                    word = "over-confident" if lean > 0 else "under-confident"
                    lines.append(f"{training}, {name}: ECE {over_seeds(part['ece'])}%, on average {word} by {100 * abs(lean):.1f} points.")
        if figure == "confidence_histograms" and "pooled" in at:
            id_, both = at["id"]["mean_confidence"].mean(), at["pooled"]["mean_confidence"].mean()
            lines.append(f"{training}: mean confidence {100 * id_:.1f}% on in-distribution images, {100 * both:.1f}% with OOD mixed in.")
    if figure == "risk_coverage" and len(selective):
        first = selective[selective["score"] == selective["score"].iloc[0]]
        for (training, name), part in first.groupby(["training", "set"], sort=False):
            lines.append(f"{training}, {name}: AURC {over_seeds(part['aurc'])}%.")
    return " ".join(lines)


def repaired(in_dist: str, tables: Mapping[str, pd.DataFrame]) -> list[str]:
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


def page(study: str, tables: Mapping[str, str], figures: Mapping[str, str], captions: Mapping[str, str],
         order: Sequence[Any]) -> str:  # fmt: skip
    """The page as HTML. tables, figures (PNG), captions: paths by name; order: [figure, [[suffix, [in_dist, model]], ...]], ..."""
    frames = {name: pd.read_csv(path) for name, path in tables.items()}
    for name, measure in {"likelihood": "bpd_mean", "calibration": "accuracy", "selective": "aurc"}.items():
        frames[name] = frames[name].dropna(subset=measure)  # rows that say: no run has such a result
    shown = [
        {
            "name": f"{figure}{suffix}",
            "title": f"{figure.replace('_', ' ')}: {in_dist}, {model}",
            "png": base64.b64encode(Path(figures[figure + suffix]).read_bytes()).decode(),
            "caption": " ".join(Path(captions[figure]).read_text().split()),
            "seen": seen(figure, in_dist, model, frames),
        }
        for figure, variants in order
        for suffix, (in_dist, model) in variants
    ]
    all_tables = [*summaries(frames), *data_tables(frames)]
    contents = [{"title": t, "note": n, "html": f.to_html(index=False, border=0)} for t, n, f in all_tables]
    lost = frames["datasets"].dropna(subset="missing")
    seeds = frames["detection"]["seed"].nunique()
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(TEMPLATE.read_text()).render(
        study=study, seeds=seeds, tables=contents, figures=shown, missing=lost[["name", "missing"]].to_dict("records")
    )
