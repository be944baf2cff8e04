"""Sample weights around those of one run."""

from dataclasses import replace
from typing import TYPE_CHECKING

from oecal.core import log
from oecal.core.device import Compute
from oecal.training.swag import SwagPlan, sample_swag
from oecal.training.train_run import TrainingFiles
from oecal.training.training_plan import TrainingPlan

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

log.start(snakemake.log[0])
sample_swag(
    TrainingPlan.from_plain(snakemake.params.training),
    SwagPlan(**snakemake.params.swag),
    TrainingFiles(
        in_dist=snakemake.input.in_dist,
        outliers=list(snakemake.input.get("outliers", [])),
        weights=snakemake.input.weights,
        may_be_missing=snakemake.config["may_be_missing"],
    ),
    path=snakemake.output[0],
    seed=int(snakemake.wildcards.seed),
    compute=replace(Compute(**snakemake.config["compute"]), threads=snakemake.threads),
)
