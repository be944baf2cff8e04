"""The report: one self-contained HTML page with the answer, the claims, and each part's tables and figures, filled from the tables."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd

from oecal.core import provenance
from oecal.core.components import read_constant
from oecal.report import answer, published_numbers
from oecal.report.claim_rows import rows as claimed
from oecal.report.figure_sentences import describe_shown_figure
from oecal.report.summary_tables import SECTIONS, Summary, about, read, summaries

TEMPLATE = Path(__file__).with_name("page.html.jinja")


def html(table: pd.DataFrame) -> str:
    """A table for the page, without its index; text is escaped."""
    return table.to_html(index=False, border=0)


def shown(
    figures: Mapping[str, str],
    captions: Mapping[str, str],
    order: Sequence[Any],
    frames: Mapping[str, pd.DataFrame],
) -> list[dict[str, str]]:
    """Each figure: section, name, title, png, caption, what is seen."""
    return [
        {
            "section": read_constant("figures", figure, "SECTION"),
            "name": f"{figure}{suffix}",
            "title": ": ".join(filter(None, [figure.replace("_", " "), ", ".join(subject)])),
            "png": base64.b64encode(Path(figures[figure + suffix]).read_bytes()).decode(),
            "caption": " ".join(Path(captions[figure]).read_text().split()),
            "seen": describe_shown_figure(figure, frames, *subject),
        }
        for figure, variants in order
        for suffix, subject in variants
    ]


def sections(
    figures: Sequence[Mapping[str, str]], tables: Sequence[Summary]
) -> list[dict[str, Any]]:
    """The parts that have something to show: name, title, tables, figures."""
    parts = [
        {
            "name": name,
            "title": title,
            "tables": [
                {**table._asdict(), "html": html(table.table)}
                for table in tables
                if table.section == name
            ],
            "figures": [figure for figure in figures if figure["section"] == name],
        }
        for name, title in SECTIONS.items()
    ]
    return [part for part in parts if part["tables"] or part["figures"]]


def page(
    study: str,
    tables: Mapping[str, str],
    figures: Mapping[str, str],
    captions: Mapping[str, str],
    order: Sequence[Any],
    configfiles: Sequence[str] = (),
    sources: Mapping[str, str] | None = None,
    logs: str = "logs",
) -> str:
    """The page as HTML.

    tables, figures (PNG), captions: paths by name; order: [figure, [[suffix, [in_dist, model,
    (training)]], ...]]; configfiles: of the study, for the commands; sources: data set -> published
    data set; logs: the folder of the jobs' logs.
    """
    frames = read(tables)
    pictures = shown(figures, captions, order, frames)
    compared = published_numbers.beside(frames, sources or {})
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(TEMPLATE.read_text()).render(
        study=study,
        verdict=answer.verdict(frames),
        answer=answer.sentences(frames),
        setting=answer.setting(frames),
        missing=frames["datasets"].dropna(subset="missing")[["name", "missing"]].to_dict("records"),
        claims=claimed(
            frames["claims"], study, [figure["name"] for figure in pictures], configfiles
        )
        if "claims" in frames
        else [],
        sections=sections(pictures, [*summaries(frames), *about(frames)]),
        published=html(compared) if len(compared) else "",
        differences=published_numbers.differences(frames, compared) if len(compared) else [],
        versions=provenance.list_versions(),
        code=provenance.fingerprint_code(),
        hardware=provenance.describe_hardware(),
        devices=provenance.count_devices(logs),
        jobs=provenance.list_jobs(logs),
    )
