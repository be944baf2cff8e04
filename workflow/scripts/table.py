"""Computes one table over all runs."""

import importlib
import logging
from typing import TYPE_CHECKING

from oecal import log
from oecal.files import replacing

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

log.start(snakemake.log[0])
module = importlib.import_module(f"oecal.tables.{snakemake.wildcards.table}")
table = module.table(snakemake.input.outputs, snakemake.input.scores, snakemake.params.measures)
with replacing(snakemake.output[0]) as temporary:
    table.to_csv(temporary, index=False)
logging.info("%d rows", len(table))
