"""`intervals.csv`: bootstrap intervals over test images of the calibration metrics.

Also of their differences to the first training, on the same images.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from oecal.calibrators import temperature
from oecal.calibrators.calibrator import Calibrator
from oecal.core.seeds import make_generator
from oecal.metrics.bootstrap import (
    bootstrap,
    draw_chunks,
    make_class_statistics,
    make_confidence_statistics,
)
from oecal.metrics.custom_metrics import Metrics, load_custom_metrics
from oecal.metrics.norm_interval import Estimate, difference_interval
from oecal.metrics.selective_metrics import selective_metrics
from oecal.runs.run_files import RUN_COLUMNS, confidence_and_correctness, pool_test_images, read_run
from oecal.scores.numerics import log_softmax
from oecal.tables.calibration import SelectedImages, measure_set
from oecal.tables.rows import make_table

COLUMNS = [
    *RUN_COLUMNS,
    "post_hoc",
    "set",
    "metric",
    "value",
    "low",
    "high",
    "difference",
    "difference_low",
    "difference_high",
    "n",
]


def bootstrap_metrics(
    parts: SelectedImages, calibrator: Calibrator | None, bins: int, resamples: int, more: Metrics
) -> dict[str, Estimate]:
    """Bootstrap the metrics of one run and set.

    The resamples depend on the sets alone, so they are the same for each run and post-hoc method.
    """
    confidence, correct = confidence_and_correctness(parts, calibrator)
    wanted = [
        make_confidence_statistics(confidence, correct, bins),
        lambda weights: {name: m(confidence, correct, weights) for name, m in more.items()},
    ]
    if len(parts) == 1:  # the images have a true class
        group, index = parts[0]
        logits = group["logits"][index]
        wanted.append(
            make_class_statistics(
                log_softmax(calibrator(logits) if calibrator else logits),
                group["labels"][index],
                bins,
            )
        )
    weights = draw_chunks(
        [(len(index), make_generator("bootstrap", group.set)) for group, index in parts], resamples
    )
    return bootstrap(wanted, weights, len(confidence))


def measure_set_and_risk(
    parts: SelectedImages, calibrator: Calibrator | None, bins: int, more: Metrics
) -> dict[str, float]:
    """Compute the metrics of `calibration.csv`, and for the MSP those of `selective.csv`."""
    confidence, correct = confidence_and_correctness(parts, calibrator)
    return measure_set(parts, calibrator, bins, more) | selective_metrics(
        -confidence, 1 - correct, target_risk=1, target_coverage=1
    )


def compute_table(
    outputs: Sequence[str],
    bins: int,
    ood_ratio: float,
    resamples: int,
    metrics: Sequence[str] = (),
) -> pd.DataFrame:
    """One row per classifier run, post-hoc method (none, temperature), set (id, pooled) and metric.

    value: as in `calibration.csv`; aurc, eaurc, augrc as in `selective.csv`, with the confidence as
    score. low, high: its 95% interval. difference: value minus that of the first training of the
    same model and seed on the same images, with its 95% interval; empty for that training itself.
    Noise enlarges the errors of calibration (ece, ace, cwece, mce, rms, mad, smece, reliability)
    and the resolution, but the intervals are of the true ones, so value and difference may lie
    outside of them. bins, ood_ratio, resamples, metrics: as under `measures` in the configuration.
    """
    rows: list[dict[str, object]] = []
    first: dict[tuple[object, ...], tuple[dict[str, float], dict[str, Estimate]]] = {}
    more = load_custom_metrics(metrics, "calibration")
    for path in outputs:
        run = read_run(path, "logits", "labels", "log_likelihood")
        if run.kind != "classifier":
            continue
        both = pool_test_images(run, ood_ratio)
        sets = {"id": both[:1], "pooled": both} if len(both) > 1 else {"id": both}
        val = run.find("id", "val")
        for post_hoc, calibrator in temperature.fit_before_and_after(
            val["logits"], val["labels"]
        ).items():
            for name, parts in sets.items():
                values, estimates = (
                    measure_set_and_risk(parts, calibrator, bins, more),
                    bootstrap_metrics(parts, calibrator, bins, resamples, more),
                )
                about = {**run.key, "post_hoc": post_hoc, "set": name, "n": values["n"]}
                same = tuple(
                    about[column] for column in ("in_dist", "model", "seed", "post_hoc", "set")
                )
                its_values, its = first.setdefault(same, (values, estimates))
                for metric, one in estimates.items():
                    compared = {}
                    if its is not estimates:
                        low, high = difference_interval(one, its[metric])
                        compared = {
                            "difference": values[metric] - its_values[metric],
                            "difference_low": low,
                            "difference_high": high,
                        }
                    rows.append(
                        {
                            **about,
                            "metric": metric,
                            "value": values[metric],
                            "low": one.low,
                            "high": one.high,
                            **compared,
                        }
                    )
    return make_table(rows, COLUMNS, outputs)
