"""The table of all data sets of the study."""

from typing import TYPE_CHECKING

from oecal.core import log
from oecal.core.files import replacing
from oecal.tables.datasets import compute_table

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

log.start(snakemake.log[0])
with replacing(snakemake.output[0]) as temporary:
    compute_table(snakemake.input.data).to_csv(temporary, index=False)
