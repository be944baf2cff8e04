"""A few of the harness's faults; all of them: make faults."""

import random

from tests.faults.inject import kill_processes
from tests.faults.study_copy import StudyCopy


def test_three_kills_leave_the_tables_of_an_undisturbed_run(tmp_path):
    for name in ("whole", "killed"):
        (tmp_path / name).mkdir()
    whole = StudyCopy(tmp_path / "whole", epochs=2)
    assert whole.run() == 0, whole.log.read_text()
    faults = list(
        kill_processes(
            StudyCopy(tmp_path / "killed", epochs=2), 3, random.Random(1), whole.tables()
        )
    )
    assert len(whole.tables()) == 6
    assert all(fault.same for fault in faults), faults
    assert sum(fault.fault != "none" for fault in faults) == 3
