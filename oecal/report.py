"""The report: one self-contained HTML page with tables, figures, captions, and a sentence on what is seen, computed from the tables."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd

from oecal.claims import rows as claimed
from oecal.results import RUN
from oecal.seen import over_seeds, seen

TEMPLATE = Path(__file__).with_name("report.html.jinja")
WHO = ["in_dist", "model", "training"]


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


def page(study: str, tables: Mapping[str, str], figures: Mapping[str, str], captions: Mapping[str, str],
         order: Sequence[Any], configfiles: Sequence[str] = ()) -> str:  # fmt: skip
    """The page as HTML. tables, figures (PNG), captions: paths by name; order: [figure, [[suffix, [in_dist, model, (training)]], ...]];
    configfiles: of the study, for the commands."""
    frames = {name: pd.read_csv(path) for name, path in tables.items()}
    for name, measure in {"likelihood": "bpd_mean", "calibration": "accuracy", "selective": "aurc"}.items():
        frames[name] = frames[name].dropna(subset=measure)  # rows that say: no run has such a result
    shown = [
        {
            "name": f"{figure}{suffix}",
            "title": f"{figure.replace('_', ' ')}: {', '.join(subject)}",
            "png": base64.b64encode(Path(figures[figure + suffix]).read_bytes()).decode(),
            "caption": " ".join(Path(captions[figure]).read_text().split()),
            "seen": seen(figure, frames, *subject),
        }
        for figure, variants in order
        for suffix, subject in variants
    ]
    all_tables = [*summaries(frames), *data_tables(frames)]
    contents = [{"title": t, "note": n, "html": f.to_html(index=False, border=0)} for t, n, f in all_tables]
    claims = claimed(frames["claims"], study, [figure["name"] for figure in shown], configfiles) if "claims" in frames else []
    lost = frames["datasets"].dropna(subset="missing")
    seeds = frames["detection"]["seed"].nunique()
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(TEMPLATE.read_text()).render(
        study=study, seeds=seeds, tables=contents, figures=shown, claims=claims, missing=lost[["name", "missing"]].to_dict("records")
    )
