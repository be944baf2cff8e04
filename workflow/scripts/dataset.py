"""Builds one data set into its image store."""

import logging
from typing import TYPE_CHECKING

from oecal.core import log
from oecal.data.build_set import build

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

log.start(snakemake.log[0])
data = build(
    snakemake.params.recipe,
    snakemake.output[0],
    of=snakemake.input.get("of") or None,
    against=snakemake.input.get("against", []),
    root=snakemake.config["data_root"],
    may_be_missing=snakemake.wildcards.dataset in snakemake.config["may_be_missing"],
)
for name, split in data.splits.items():
    logging.info("%s: %s images, %s classes", name, split.images.shape, len(data.classes) or "no")
