"""What a terminal shows of a run: a line as a job starts, and a line as it ends.

The latter says how many jobs are done and how long the rest will take. Snakemake itself writes
several lines for each job, and no time. Its log records carry what is needed: `event`, and what
belongs to it.
"""

from __future__ import annotations

import logging
import time
from collections import Counter, defaultdict
from collections.abc import Mapping
from statistics import geometric_mean

PASSED_OVER = ("Select jobs to execute...",)


def format_duration(seconds: float) -> str:
    """Return a duration as one says it.

    >>> format_duration(40), format_duration(200), format_duration(9000)
    ('40 s', '3 min', '2.5 h')
    """
    if seconds < 100:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


class Progress(logging.Filter):
    """Shortens the records of Snakemake's logger; never holds a warning or an error back.

    waiting: rule -> number of its jobs that this run starts.
    """

    def __init__(self, waiting: Mapping[str, int]):
        super().__init__()
        self.waiting, self.total = Counter(waiting), sum(waiting.values())
        # Job -> rule, what it does, when it began.
        self.running: dict[int, tuple[str, str, float]] = {}
        self.took: defaultdict[str, list[float]] = defaultdict(list)  # rule -> seconds of its jobs
        self.began = time.monotonic()

    def estimate_left(self) -> float:
        """Estimate the seconds that are left; 0 while no job has ended.

        Each job will take as long as its rule's jobs so far did, and as many will run side by side.
        A rule of which no job has ended counts as the geometric mean of the others: a few of them,
        the first, take much longer than most.
        """
        spent = sum(map(sum, self.took.values()))
        if not spent:
            return 0.0
        mean = {rule: sum(seconds) / len(seconds) for rule, seconds in self.took.items()}
        other = geometric_mean(max(seconds, 0.1) for seconds in mean.values())
        work = sum(count * mean.get(rule, other) for rule, count in self.waiting.items())
        return work * max(time.monotonic() - self.began, 1e-9) / spent

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the records of a job's start and end, and drop what says no more than these."""
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
        """Make the record a plain line."""
        record.__dict__["event"], record.args = None, None
        record.msg = f"{time.strftime('%H:%M:%S')} {line}"
