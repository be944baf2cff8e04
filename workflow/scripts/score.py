"""Computes all scores of one run."""

from typing import TYPE_CHECKING

from oecal.core import log
from oecal.scores.score_run import score_run

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

log.start(snakemake.log[0])
score_run(
    snakemake.input.outputs,
    snakemake.params.scores["scores"],
    snakemake.output.scores,
    snakemake.output.cost,
    statistics=snakemake.input.get("statistics") or None,
    background=snakemake.input.get("background") or None,
    seeds=snakemake.input.get("seeds", []),
)
