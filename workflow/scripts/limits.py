"""Outlier Exposure at its limits: each setting against its control."""

from typing import TYPE_CHECKING

from oecal.core import log
from oecal.core.files import replacing
from oecal.tables.limits import compute_table

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

log.start(snakemake.log[0])
tables = {name: value for name, value in snakemake.input.items() if name != "code"}
with replacing(snakemake.output[0]) as temporary:
    compute_table(snakemake.params.limits["settings"], **tables).to_csv(temporary, index=False)
