"""What a terminal shows of a run, from records as Snakemake writes them."""

import logging

import pytest

from oecal.core import progress
from oecal.core.progress import Progress, format_duration


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands until it is set: clock(seconds)."""
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(progress.time, "strftime", lambda _: "12:00:00")
    return lambda seconds: now.__setitem__(0, seconds)


def shown(watched, message="", **extra):
    """The line that a record becomes; None if it is passed over."""
    record = logging.makeLogRecord({"msg": message, "levelno": logging.INFO, **extra})
    return record.getMessage() if watched.filter(record) else None


def begin(watched, job, rule):
    return shown(
        watched, event="job_info", jobid=job, rule_name=rule, rule_msg=f"Do {rule}\n of {job}"
    )


def end(watched, job):
    return shown(watched, event="job_finished", job_id=job)


def test_durations():
    assert [format_duration(s) for s in (0.4, 99, 100, 3600, 5400)] == [
        "0 s",
        "99 s",
        "2 min",
        "60 min",
        "1.5 h",
    ]


def test_time_left(clock):
    """Two jobs side by side, 10 s each: four more of them take 20 s.

    Of a rule that was not seen yet, a job is the geometric mean.
    """
    watched = Progress({"train": 6, "figure": 2})
    assert watched.estimate_left() == 0
    assert begin(watched, 1, "train") == "12:00:00 begins    Do train of 1"
    begin(watched, 2, "train")
    clock(10)
    end(watched, 1)
    assert end(watched, 2) == "12:00:00    2/8 Do train of 2: 10 s, about 30 s left"
    begin(watched, 3, "figure")
    clock(12)
    end(watched, 3)
    assert watched.estimate_left() == pytest.approx((4 * 10 + 1 * 2) * 12 / 22)
    watched.waiting["table"] = 3
    assert watched.estimate_left() == pytest.approx((4 * 10 + 1 * 2 + 3 * 20**0.5) * 12 / 22)


def test_the_last_job_leaves_nothing(clock):
    watched = Progress({"table": 1})
    begin(watched, 1, "table")
    clock(3)
    assert end(watched, 1) == "12:00:00    1/1 Do table of 1: 3 s"


def test_what_says_no_more_is_passed_over_and_everything_else_stays():
    watched = Progress({"table": 1})
    assert shown(watched, "Select jobs to execute...") is None
    assert shown(watched, "Execute 2 jobs...", event="job_started") is None
    assert shown(watched, event="progress") is None
    assert shown(watched, "Error in rule train", event="job_error") == "Error in rule train"
    assert shown(watched, "Disk is full") == "Disk is full"


def test_a_job_that_began_unseen_ends(clock):
    assert end(Progress({"train": 2}), 7).startswith("12:00:00    1/2 a job: 0 s")
