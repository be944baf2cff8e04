"""Renders the report."""

from pathlib import Path
from typing import TYPE_CHECKING

from oecal.core import log
from oecal.core.files import replacing
from oecal.report.page import ReportedStudy, render_page

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

log.start(snakemake.log[0])
html = render_page(
    ReportedStudy(**snakemake.params.study),
    tables={Path(path).stem: path for path in snakemake.input.tables},
    figures={Path(path).stem: path for path in snakemake.input.figures},
    logs=str(Path(snakemake.log[0]).parent),
)
with replacing(snakemake.output[0]) as temporary:
    temporary.write_text(html)
