"""Predict all evaluated sets of one run."""

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
inputs, outputs, key = snakemake.input, snakemake.output, dict(snakemake.wildcards.items())
training = TrainingPlan.from_plain(snakemake.params.training)
plan = PredictionPlan.from_plain(snakemake.params.more)
sets = EvaluatedSets(
    entries=[EvaluatedEntry(**entry) for entry in snakemake.params.sets["sets"]],
    data={Path(path).stem: path for path in inputs.data},
    in_dist=key["in_dist"],
    interpolation=training.interpolation,
    fit=training.fit,
    train=plan.train,
    may_be_missing=snakemake.config["may_be_missing"],
)
predict_run(
    PredictedRun({**key, "seed": int(key["seed"])}, training, compute_fingerprint(inputs.code)),
    plan,
    sets,
    PredictionFiles(inputs.weights, outputs.outputs, outputs.cost, inputs.get("swag") or None),
    Compute(**{**snakemake.config["compute"], "threads": snakemake.threads}),
)
