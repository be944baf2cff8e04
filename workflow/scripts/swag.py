"""Samples weights around those of one run."""

from typing import TYPE_CHECKING

from oecal.core import log
from oecal.training.swag import sample_swag

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

log.start(snakemake.log[0])
compute = snakemake.config["compute"]
sample_swag(
    snakemake.params.training,
    swag=snakemake.params.swag,
    in_dist=snakemake.input.in_dist,
    outliers=snakemake.input.get("outliers", []),
    weights=snakemake.input.weights,
    path=snakemake.output[0],
    seed=int(snakemake.wildcards.seed),
    device=compute["device"],
    precision=compute["precision"],
    threads=snakemake.threads,
    channels_last=compute["channels_last"],
    may_be_missing=snakemake.config["may_be_missing"],
)
