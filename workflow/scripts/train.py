"""Trains one run."""

from pathlib import Path
from typing import TYPE_CHECKING

from oecal.core import log
from oecal.core.codegraph import compute_fingerprint
from oecal.training.train_run import train_run

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

if __name__ == "__main__":  # processes that share the training read this file, too
    log.start(snakemake.log[0])
    compute = snakemake.config["compute"]
    train_run(
        snakemake.params.training,
        in_dist=snakemake.input.in_dist,
        outliers=snakemake.input.get("outliers", []),
        init=snakemake.input.get("init") or None,
        folder=Path(snakemake.output.weights).parent,
        seed=int(snakemake.wildcards.seed),
        code=compute_fingerprint(snakemake.input.code),
        device=compute["device"],
        precision=compute["precision"],
        threads=max(1, snakemake.threads // snakemake.params.training["recipe"]["processes"]),
        channels_last=compute["channels_last"],
        may_be_missing=snakemake.config["may_be_missing"],
    )
