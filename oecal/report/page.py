"""The report: one self-contained HTML page.

It has the answer, the claims, and each part's tables and figures, filled from the tables.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import jinja2
import pandas as pd

from oecal.core import provenance
from oecal.report import answer, published_numbers, verdict
from oecal.report.claim_rows import format_claims as claimed
from oecal.report.figure_sentences import describe_shown_figure
from oecal.report.summary_formats import Summary
from oecal.report.summary_tables import (
    SECTIONS,
    read_tables,
    summarize_results,
    summarize_setup,
)
from oecal.study.figure_files import read_figure

TEMPLATE = Path(__file__).with_name("page.html.jinja")


def format_table(table: pd.DataFrame) -> str:
    """Return a table as HTML, without its index; text is escaped."""
    return table.to_html(index=False, border=0)


@dataclass(frozen=True)
class ReportedStudy:
    """What the page says of a study beside its tables and figures."""

    name: str
    figures: Sequence[tuple[str, Sequence[tuple[str, Sequence[str]]]]]
    """each figure with its files: suffix, and (in_dist, model, training) as far as it has them"""
    configfiles: Sequence[str] = ()
    """of the study, for the commands"""
    sources: Mapping[str, str] = field(default_factory=dict)
    """data set -> the published data set that it is"""


class ShownFigure(NamedTuple):
    """A figure on the page; png: its bytes in base64; seen: what it shows in numbers."""

    section: str
    name: str
    title: str
    png: str
    caption: str
    seen: str


class ShownTable(NamedTuple):
    """A table on the page."""

    name: str
    title: str
    note: str
    html: str


class Section(NamedTuple):
    """A part of the page."""

    name: str
    title: str
    tables: list[ShownTable]
    figures: list[ShownFigure]


def describe_figures(
    study: ReportedStudy, paths: Mapping[str, str], tables: Mapping[str, pd.DataFrame]
) -> list[ShownFigure]:
    """Return each figure file as the page shows it; `paths` are those of the PNGs."""
    return [
        ShownFigure(
            section=read_figure(figure).section,
            name=f"{figure}{suffix}",
            title=": ".join(filter(None, [figure.replace("_", " "), ", ".join(subject)])),
            png=base64.b64encode(Path(paths[figure + suffix]).read_bytes()).decode(),
            caption=read_figure(figure).caption,
            seen=describe_shown_figure(figure, tables, *subject),
        )
        for figure, files in study.figures
        for suffix, subject in files
    ]


def collect_sections(figures: Sequence[ShownFigure], tables: Sequence[Summary]) -> list[Section]:
    """Return the parts of the page that have something to show."""
    sections = [
        Section(
            name,
            title,
            tables=[
                ShownTable(table.name, table.title, table.note, format_table(table.table))
                for table in tables
                if table.section == name
            ],
            figures=[figure for figure in figures if figure.section == name],
        )
        for name, title in SECTIONS.items()
    ]
    return [section for section in sections if section.tables or section.figures]


def render_page(
    study: ReportedStudy, tables: Mapping[str, str], figures: Mapping[str, str], logs: str = "logs"
) -> str:
    """Return the page as HTML.

    tables, figures (PNG): paths by name; logs: the folder of the jobs' logs.
    """
    frames = read_tables(tables)
    pictures = describe_figures(study, figures, frames)
    compared = published_numbers.compare_with_published(frames, study.sources)
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(TEMPLATE.read_text()).render(
        study=study.name,
        verdict=verdict.write_verdict(frames),
        answer=answer.write_answer(frames),
        setting=answer.describe_setting(frames),
        missing=frames["datasets"].dropna(subset="missing")[["name", "missing"]].to_dict("records"),
        claims=claimed(
            frames["claims"],
            study.name,
            [figure.name for figure in pictures],
            study.configfiles,
        )
        if "claims" in frames
        else [],
        sections=collect_sections(pictures, [*summarize_results(frames), *summarize_setup(frames)]),
        published=format_table(compared) if len(compared) else "",
        differences=published_numbers.list_differences(frames, compared) if len(compared) else [],
        versions=provenance.list_versions(),
        code=provenance.fingerprint_code(),
        hardware=provenance.describe_hardware(),
        devices=provenance.count_devices(logs),
        jobs=provenance.list_jobs(logs),
    )
