"""Predict all evaluated sets of one run."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from oecal.core import log
from oecal.core.codegraph import compute_fingerprint
from oecal.core.device import Compute
from oecal.predict.evaluated import EvaluatedEntry, EvaluatedSets
from oecal.predict.predict_run import PredictedRun, PredictionFiles, predict_run
from oecal.predict.prediction_plan import PredictionPlan
from oecal.training.training_plan import TrainingPlan

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

log.start(snakemake.log[0])
training = TrainingPlan.from_plain(snakemake.params.training)
plan = PredictionPlan.from_plain(snakemake.params.more)
key = dict(snakemake.wildcards.items())
predict_run(
    PredictedRun(
        key={**key, "seed": int(key["seed"])},
        training=training,
        code=compute_fingerprint(snakemake.input.code),
    ),
    plan,
    EvaluatedSets(
        entries=[EvaluatedEntry(**entry) for entry in snakemake.params.sets["sets"]],
        data={Path(path).stem: path for path in snakemake.input.data},
        in_dist=key["in_dist"],
        interpolation=training.interpolation,
        fit=training.fit,
        train=plan.train,
        may_be_missing=snakemake.config["may_be_missing"],
    ),
    PredictionFiles(
        weights=snakemake.input.weights,
        outputs=snakemake.output.outputs,
        cost=snakemake.output.cost,
        swag=snakemake.input.get("swag") or None,
    ),
    compute=replace(Compute(**snakemake.config["compute"]), threads=snakemake.threads),
)
