"""Train one run."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from oecal.core import log
from oecal.core.codegraph import compute_fingerprint
from oecal.core.device import Compute
from oecal.training.train_run import TrainingFiles, train_run
from oecal.training.training_plan import TrainingPlan

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

if __name__ == "__main__":  # processes that share the training read this file, too
    log.start(snakemake.log[0])
    plan = TrainingPlan.from_plain(snakemake.params.training)
    threads = max(1, snakemake.threads // plan.recipe.processes)
    train_run(
        plan,
        TrainingFiles(
            in_dist=snakemake.input.in_dist,
            outliers=list(snakemake.input.get("outliers", [])),
            weights=snakemake.input.get("init") or None,
            may_be_missing=snakemake.config["may_be_missing"],
        ),
        folder=Path(snakemake.output.weights).parent,
        seed=int(snakemake.wildcards.seed),
        code=compute_fingerprint(snakemake.input.code),
        compute=replace(Compute(**snakemake.config["compute"]), threads=threads),
    )
