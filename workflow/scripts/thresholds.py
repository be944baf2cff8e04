"""Chooses the thresholds of one run."""

from typing import TYPE_CHECKING

from oecal.core import log
from oecal.runs.thresholds import write_thresholds

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

log.start(snakemake.log[0])
write_thresholds(
    snakemake.input.scores,
    snakemake.input.outputs,
    snakemake.params.promises["promises"],
    snakemake.output[0],
)
