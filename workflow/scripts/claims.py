"""Judges the study's claims by its tables."""

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from oecal.core import log
from oecal.core.files import replacing
from oecal.study.claim_entries import read_claims
from oecal.tables.claims import compute_table

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

log.start(snakemake.log[0])
judged = compute_table(
    read_claims(snakemake.input.claims),
    {Path(path).stem: path for path in snakemake.input.tables},
    snakemake.params.study["figures"],
    snakemake.params.study["may_be_missing"],
)
with replacing(snakemake.output[0]) as temporary:
    judged.to_csv(temporary, index=False)
for name, verdict in zip(judged["claim"], judged["verdict"], strict=True):
    logging.info("%s: %s", name, verdict)
