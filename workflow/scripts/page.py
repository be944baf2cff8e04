"""Renders the report."""

from pathlib import Path
from typing import TYPE_CHECKING

from oecal.core import log
from oecal.core.files import replacing
from oecal.report.page import page

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

log.start(snakemake.log[0])
study = snakemake.params.study
html = page(
    study["name"],
    tables={Path(path).stem: path for path in snakemake.input.tables},
    figures={Path(path).stem: path for path in snakemake.input.figures},
    captions={Path(path).stem: path for path in snakemake.input.captions},
    order=study["figures"],
    configfiles=study["configfiles"],
    sources=study["sources"],
    logs=str(Path(snakemake.log[0]).parent),
)
with replacing(snakemake.output[0]) as temporary:
    temporary.write_text(html)
