"""Times of several calls beside each other in one process; only the ratios carry over."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable


def milliseconds(
    calls: dict[str, Callable[[], object]], runs: int, clock: Callable[[], float]
) -> dict[str, float]:
    """Median time of each call.

    The calls take turns, so that other load on the machine meets all of them.
    """
    times: dict[str, list[float]] = {name: [] for name in calls}
    for run in range(runs + 1):
        for name, call in calls.items():
            start = clock()
            call()
            if run:  # the first is for warming up
                times[name].append(1000 * (clock() - start))
    return {name: statistics.median(values) for name, values in times.items()}


def show(
    title: str,
    calls: dict[str, Callable[[], object]],
    runs: int = 11,
    clock: Callable[[], float] = time.perf_counter,
) -> None:
    """Print the times and their ratios to the first call's.

    clock: of the wall, or `time.process_time` for work on one thread.
    """
    times = milliseconds(calls, runs, clock)
    ours = next(iter(times.values()))
    print(f"\n{title}")
    for name, value in times.items():
        print(f"  {name:55s} {value:8.1f} ms  {value / ours:6.2f} x ours")
