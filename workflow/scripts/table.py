"""Computes one table over all runs."""

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from oecal.core import log
from oecal.core.component_imports import import_component
from oecal.core.files import replacing

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

log.start(snakemake.log[0])
inputs = {name: value for name, value in snakemake.input.items() if name != "code"}
module = import_component("tables", Path(snakemake.output[0]).stem)
table = module.compute_table(**inputs, options=snakemake.params.measures)
with replacing(snakemake.output[0]) as temporary:
    table.to_csv(temporary, index=False)
logging.info("%d rows", len(table))
