"""`drift.csv`: how soon a sequential test notices that OOD images have begun to arrive.

And how often ID images alone raise an alarm.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from oecal.core.roles import OOD
from oecal.core.seeds import make_generator
from oecal.metrics.drift_detection import find_alarms, p_values, wealth
from oecal.runs.run_files import RUN_COLUMNS, read_run
from oecal.tables.rows import COMMON_SCORES, make_table

COLUMNS = [
    *RUN_COLUMNS,
    "score",
    "set",
    "ood_rate",
    "alpha",
    "streams",
    "length",
    "onset",
    "alarm_share",
    "median_time",
    "q25",
    "q75",
]
RATES = (0.0, 0.01, 0.05, 0.2)
ALPHA = 0.01  # probability of a false alarm, ever


def draw_streams(
    inside: int, outside: Sequence[int], rate: float, streams: int, length: int, onset: int
) -> np.ndarray:
    """Draw the images of each stream, (S, L).

    They are indices into the ID images followed by those of the OOD sets. inside, outside: the
    number of ID images, and of images of each OOD set. ID images come in random order, none twice,
    so `length` is at most `inside`; from index `onset` on each image is OOD with probability
    `rate`, and from each OOD set with the same probability. All runs get the same streams.
    """
    rng = make_generator("drift", rate)
    picks = rng.permuted(np.tile(np.arange(inside), (streams, 1)), axis=1)[:, :length]
    if rate > 0:
        late = (rng.uniform(size=picks.shape) < rate) & (np.arange(length) >= onset)
        sizes = np.asarray(outside)
        starts = inside + np.cumsum(sizes) - sizes
        of = rng.integers(len(sizes), size=np.count_nonzero(late))
        picks[late] = starts[of] + (rng.uniform(size=len(of)) * sizes[of]).astype(int)
    return picks


def summarize_alarms(alarm_times: np.ndarray, onset: int) -> dict[str, float]:
    """Summarize the indices of alarms (-1: never) as a share of streams and quantiles of the delay.

    Alarms before the onset are false and left out. The delay is the number of images from the onset
    to the alarm; a quantile is nan where it lies among the streams without an alarm.
    """
    since = alarm_times[(alarm_times < 0) | (alarm_times >= onset)]
    times = np.where(since < 0, np.inf, since - onset + 1.0)
    if not len(times):
        return {"alarm_share": np.nan, "median_time": np.nan, "q25": np.nan, "q75": np.nan}
    q25, median, q75 = np.quantile(times, (0.25, 0.5, 0.75), method="inverted_cdf")
    found_times = {"median_time": median, "q25": q25, "q75": q75}
    return {
        "alarm_share": np.isfinite(times).mean(),
        **{k: v if np.isfinite(v) else np.nan for k, v in found_times.items()},
    }


def compute_table(
    scores: Sequence[str], drift_streams: int, drift_length: int, drift_onset: int
) -> pd.DataFrame:
    """One row per run, score and share of OOD images.

    Of the scores in `oecal.tables.rows.COMMON_SCORES`; the images of a stream are test images, of
    OOD sets in equal shares. set: `id` where all images are ID, so that each alarm is false; else
    `pooled`. alpha: the promised probability of a false alarm. alarm_share: share of streams with
    an alarm from the onset on; median_time, q25, q75: images from the onset to the alarm.

    The test images are fewer than those of a long stream: the stream ends with them, and the onset
    comes sooner in proportion. Streams of one run share their images and the validation images, so
    their false alarms come together; over runs they average out. drift_streams, drift_length,
    drift_onset: as under `measures` in the configuration.
    """
    streams, most, begin = drift_streams, drift_length, drift_onset
    rows = []
    for path in scores:
        run = read_run(path, *COMMON_SCORES)
        inside, outside = run.find("id"), run.tests(*OOD)
        if not inside.arrays:
            continue
        length = min(most, len(inside))
        onset = round(begin * length / most)
        rates, sizes = RATES if outside else RATES[:1], [len(g) for g in outside]
        picks = np.concatenate(
            [draw_streams(len(inside), sizes, rate, streams, length, onset) for rate in rates]
        )
        for score in (name for name in COMMON_SCORES if name in inside.arrays):
            val = run.find("id", "val")[score]
            _, ranks = np.unique(
                np.concatenate([val, *(g[score] for g in (inside, *outside))]), return_inverse=True
            )
            ranks = ranks.astype(
                np.min_scalar_type(len(ranks))
            )  # small integers sort fast; the order is all that counts
            p = p_values(
                ranks[: len(val)], ranks[len(val) :][picks], make_generator("drift", "ties")
            )
            for rate, alarm_times in zip(
                rates, find_alarms(wealth(p), ALPHA).reshape(len(rates), streams), strict=True
            ):
                since = onset if rate > 0 else 0
                about = {
                    "set": "pooled" if rate > 0 else "id",
                    "ood_rate": rate,
                    "alpha": ALPHA,
                    "streams": streams,
                    "length": length,
                }
                rows.append(
                    {
                        **run.key,
                        "score": score,
                        **about,
                        "onset": since,
                        **summarize_alarms(alarm_times, since),
                    }
                )
    return make_table(rows, COLUMNS, scores)
