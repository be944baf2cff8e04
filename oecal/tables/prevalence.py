"""`prevalence.csv`: calibration on a mix of ID and OOD images against the share of OOD images."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from oecal.calibrators import temperature
from oecal.core.roles import OOD
from oecal.metrics.calibration_metrics import confidence_metrics
from oecal.runs.run_files import RUN_COLUMNS, confidence_and_correctness, mix_at_rate, read_run
from oecal.tables.rows import make_table

METRICS = ["accuracy", "ece", "rms", "mad", "soft_f1", "mean_confidence"]
COLUMNS = [*RUN_COLUMNS, "post_hoc", "ood_rate", "rate", *METRICS, "n"]


def compute_table(outputs: Sequence[str], bins: int, ood_rates: Sequence[float]) -> pd.DataFrame:
    """One row per classifier run with OOD sets, post-hoc method and share of OOD images.

    post_hoc: none or temperature. ood_rate: the share of OOD images that was asked for; rate: what
    it is in the `n` images taken. OOD images count as wrong. bins, ood_rates: as under `measures`
    in the configuration.
    """
    rows = []
    for path in outputs:
        run = read_run(path, "logits", "labels", "log_likelihood")
        if run.kind == "classifier" and run.tests(*OOD):
            val = run.find("id", "val")
            for post_hoc, calibrator in temperature.fit_before_and_after(
                val["logits"], val["labels"]
            ).items():
                for wanted in ood_rates:
                    parts = mix_at_rate(run, wanted)
                    confidence, correct = confidence_and_correctness(parts, calibrator)
                    metrics = confidence_metrics(confidence, correct, bins)
                    rate = np.mean(
                        np.repeat(
                            [g.role in OOD for g, _ in parts], [len(index) for _, index in parts]
                        )
                    )
                    about = {
                        "post_hoc": post_hoc,
                        "ood_rate": wanted,
                        "rate": rate,
                        "n": len(correct),
                    }
                    rows.append({**run.key, **about, **{m: metrics[m] for m in METRICS}})
    return make_table(rows, COLUMNS, outputs)
