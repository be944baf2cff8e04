"""Statistics of all evaluated images that need no model."""

from pathlib import Path
from typing import TYPE_CHECKING

from oecal.core import log
from oecal.predict.image_statistics import compute_image_statistics

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

log.start(snakemake.log[0])
compute_image_statistics(
    data={Path(path).stem: path for path in snakemake.input.data},
    in_dist=snakemake.wildcards.in_dist,
    path=snakemake.output[0],
    may_be_missing=snakemake.config["may_be_missing"],
    **snakemake.params.images,
)
