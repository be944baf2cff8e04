"""What a terminal shows of a run: one line as a job starts, one as it ends, with the jobs done and the time left.

Snakemake tells of each job in several lines, for each of which it says why it runs, and never how
long it will take. Its log records carry what is needed: `event`, and what belongs to it.
"""

from __future__ import annotations

import logging
import time
from collections import Counter, defaultdict
from collections.abc import Mapping
from statistics import geometric_mean

PASSED_OVER = ("Select jobs to execute...",)


def format_duration(seconds: float) -> str:
    """A duration, as one says it.

    >>> format_duration(40), format_duration(200), format_duration(9000)
    ('40 s', '3 min', '2.5 h')
    """
    return (
        f"{seconds:.0f} s"
        if seconds < 100
        else f"{seconds / 60:.0f} min"
        if seconds < 5400
        else f"{seconds / 3600:.1f} h"
    )


class Progress(logging.Filter):
    """Shortens the records of Snakemake's logger; never holds a warning or an error back.

    waiting: rule -> number of its jobs that this run starts.
    """

    def __init__(self, waiting: Mapping[str, int]):
        super().__init__()
        self.waiting, self.total = Counter(waiting), sum(waiting.values())
        self.running: dict[
            int, tuple[str, str, float]
        ] = {}  # job -> rule, what it does, when it began
        self.took: defaultdict[str, list[float]] = defaultdict(list)  # rule -> seconds of its jobs
        self.began = time.monotonic()

    def estimate_left(self) -> float:
        """Seconds left: each job takes as long as its rule's jobs so far did, and as many run side by side as did so far.

        For a rule that is not seen yet stands the geometric mean of the others: a few of them, the
        first, take much longer than most. 0 while no job has ended.
        """
        spent = sum(map(sum, self.took.values()))
        if not spent:
            return 0.0
        mean = {rule: sum(seconds) / len(seconds) for rule, seconds in self.took.items()}
        other = geometric_mean(max(seconds, 0.1) for seconds in mean.values())
        work = sum(count * mean.get(rule, other) for rule, count in self.waiting.items())
        return work * max(time.monotonic() - self.began, 1e-9) / spent

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrites the records of a job's start and end, and drops what says no more than these."""
        match getattr(record, "event", None):
            case "job_info":
                what = " ".join(
                    str(record.__dict__["rule_msg"] or record.__dict__["rule_name"]).split()
                )
                self.running[record.__dict__["jobid"]] = (
                    record.__dict__["rule_name"],
                    what,
                    time.monotonic(),
                )
                self.write_line(record, f"begins    {what}")
            case "job_finished":
                rule, what, began = self.running.pop(
                    record.__dict__["job_id"], ("", "a job", time.monotonic())
                )
                self.took[rule].append(time.monotonic() - began)
                self.waiting[rule] -= 1
                done = self.total - self.waiting.total()
                left = (
                    f", about {format_duration(self.estimate_left())} left"
                    if done < self.total
                    else ""
                )
                self.write_line(
                    record,
                    f"{done:4d}/{self.total} {what}: {format_duration(self.took[rule][-1])}{left}",
                )
            case "job_started" | "progress":
                return False
            case None:
                return record.msg not in PASSED_OVER
        return True

    def write_line(self, record: logging.LogRecord, line: str) -> None:
        """Makes the record a plain line."""
        record.__dict__["event"], record.msg, record.args = (
            None,
            f"{time.strftime('%H:%M:%S')} {line}",
            None,
        )
