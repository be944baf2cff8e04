"""Compute the statistics of all evaluated images that need no model."""

from pathlib import Path
from typing import TYPE_CHECKING

from oecal.core import log
from oecal.predict.evaluated import EvaluatedEntry, EvaluatedSets
from oecal.predict.image_statistics import compute_image_statistics

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

log.start(snakemake.log[0])
images = snakemake.params.images
compute_image_statistics(
    EvaluatedSets(
        entries=[EvaluatedEntry(**entry) for entry in images["sets"]],
        data={Path(path).stem: path for path in snakemake.input.data},
        in_dist=snakemake.wildcards.in_dist,
        interpolation=images["how"]["interpolation"],
        fit=images["how"]["fit"],
        train=images["train"],
        may_be_missing=snakemake.config["may_be_missing"],
    ),
    path=snakemake.output[0],
)
