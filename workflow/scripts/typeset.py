"""Writes the tables of results as LaTeX and Markdown."""

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from oecal.core import log
from oecal.core.files import replacing
from oecal.report.summary_tables import read_tables
from oecal.report.typeset import collect_tables, format_latex, format_markdown

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

log.start(snakemake.log[0])
tables = collect_tables(read_tables({Path(path).stem: path for path in snakemake.input.tables}))
for folder, suffix, text in (
    (snakemake.output.tex, "tex", format_latex),
    (snakemake.output.md, "md", format_markdown),
):
    for table in tables:
        with replacing(Path(folder) / f"{table.name}.{suffix}") as temporary:
            temporary.write_text(text(table))
logging.info("%d tables", len(tables))
