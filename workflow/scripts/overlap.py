"""Detection with and without the overlap."""

from typing import TYPE_CHECKING

from oecal.core import log
from oecal.core.files import replacing
from oecal.tables.overlap import compute_table

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

log.start(snakemake.log[0])
with replacing(snakemake.output[0]) as temporary:
    compute_table(snakemake.input.detection, snakemake.params.pairs["pairs"]).to_csv(
        temporary, index=False
    )
