"""Computes one table over all runs."""

import logging
from typing import TYPE_CHECKING

from oecal.core import log
from oecal.core.component_imports import import_component
from oecal.core.files import replacing

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

log.start(snakemake.log[0])
module = import_component("tables", snakemake.params.module)
inputs = {name: value for name, value in snakemake.input.items() if name != "code"}
table = module.compute_table(**inputs, **snakemake.params.arguments)
with replacing(snakemake.output[0]) as temporary:
    table.to_csv(temporary, index=False)
logging.info("%d rows", len(table))
