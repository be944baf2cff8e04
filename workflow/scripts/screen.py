"""Screens a folder of images with one run."""

import logging
from typing import TYPE_CHECKING

from oecal.core import log
from oecal.core.errors import OecalError
from oecal.screening.command import main

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

log.start(snakemake.log[0])
entry = snakemake.params.entry
options = [f"--{key}={entry[key]}" for key in ("score", "promise", "alarm") if entry.get(key)]
files = {
    "output": snakemake.output.decisions,
    "sheet": snakemake.output.alarms,
    "summary": snakemake.output.summary,
}
options += [f"--{key}={path}" for key, path in files.items()]
options += [
    f"--model={snakemake.params.model}",
    f"--device={snakemake.config['compute']['device']}",
    f"--threads={snakemake.threads}",
]
status = main([*options, "--", entry["images"]])
if status == 2:
    raise OecalError("screen failed; see the error above")
logging.info("at least one alarm" if status else "no alarm")
