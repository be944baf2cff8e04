"""Draws one figure: its library file collects a data frame from the rule's inputs and draws it."""

import logging
from typing import TYPE_CHECKING

from oecal.core import log
from oecal.core.component_imports import import_component
from oecal.figures import style

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

log.start(snakemake.log[0])
module = import_component("figures", snakemake.params.figure)
inputs = {name: value for name, value in snakemake.input.items() if name != "code"}
frame = module.collect_data(**inputs, **snakemake.params.frame)
logging.info("%d rows", len(frame))
style.save_figure(
    module.draw_figure(frame, **snakemake.params.draw), snakemake.output.pdf, snakemake.output.png
)
