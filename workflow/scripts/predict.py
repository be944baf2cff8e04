"""Predicts all evaluated sets of one run."""

from pathlib import Path
from typing import TYPE_CHECKING

from oecal.core import log
from oecal.core.codegraph import compute_fingerprint
from oecal.predict.predict_run import predict_run

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

log.start(snakemake.log[0])
compute = snakemake.config["compute"]
who = dict(snakemake.wildcards.items())
predict_run(
    snakemake.params.training,
    more=snakemake.params.more,
    sets=snakemake.params.sets["sets"],
    data={Path(path).stem: path for path in snakemake.input.data},
    weights=snakemake.input.weights,
    path=snakemake.output.outputs,
    cost=snakemake.output.cost,
    run={**who, "seed": int(who["seed"])},
    code=compute_fingerprint(snakemake.input.code),
    swag=snakemake.input.get("swag") or None,
    device=compute["device"],
    precision=compute["precision"],
    threads=snakemake.threads,
    channels_last=compute["channels_last"],
    may_be_missing=snakemake.config["may_be_missing"],
)
