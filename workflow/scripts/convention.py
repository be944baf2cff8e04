"""Computes the detection table in the convention of another codebase."""

import logging
from typing import TYPE_CHECKING

from oecal.core import log
from oecal.core.files import replacing
from oecal.tables.conventions import compute_table

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

log.start(snakemake.log[0])
found = compute_table(snakemake.wildcards.convention, snakemake.input.scores)
with replacing(snakemake.output[0]) as temporary:
    found.to_csv(temporary, index=False)
logging.info("%d rows", len(found))
