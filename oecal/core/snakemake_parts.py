"""What the workflow takes from parts of Snakemake that its documentation does not promise.

All of it is here, and none of it is needed: where a part is gone, the workflow only loses the
convenience that the function names. tests/core/test_snakemake_parts.py tells which one that is.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any


def read_part(workflow: object, path: str) -> object:
    """Return an attribute of an attribute: `dag.needrun_jobs`; None where there is none."""
    part: object = workflow
    for name in path.split("."):
        part = getattr(part, name, None)
    return part


def list_config_files(workflow: object) -> list[Path] | None:
    """List what was given with --configfile; None if that is unknown.

    Without it, the report's commands do not name the configuration, and --config alone cannot
    change the default study.
    """
    files = read_part(workflow, "overwrite_configfiles")
    return [Path(file) for file in files] if isinstance(files, list | tuple) else None


def runs_jobs_elsewhere(workflow: object) -> bool | None:
    """Whether jobs run on other machines than this one; None if that is unknown.

    Without it, a job asks for a GPU whether this machine has one or not.
    """
    elsewhere = read_part(workflow, "non_local_exec")
    return elsewhere if isinstance(elsewhere, bool) else None


def count_waiting_jobs(workflow: object) -> Counter[str]:
    """Count the jobs of each rule that this run starts; empty if that is unknown.

    Empty as well where another logger (--logger) takes the records, as it would miss those that
    are rewritten. Without it, the terminal shows Snakemake's own lines, without the time left.
    """
    jobs = read_part(workflow, "dag.needrun_jobs")
    other_loggers = read_part(workflow, "output_settings.log_handler_settings")
    if not callable(jobs) or other_loggers != {}:
        return Counter()
    return Counter(str(read_part(job, "rule.name")) for job in jobs())


def lift_rate_limit(workflow: object) -> bool:
    """Let jobs on this machine start at any rate; return whether that was possible.

    Snakemake 9 limits how many jobs may start in a second, and to that end looks for new ones once
    a second for each job that has ended: after 250 jobs, that takes a quarter of a core.
    """
    scheduler: Any = read_part(workflow, "scheduler")
    if runs_jobs_elsewhere(workflow) is not False or not hasattr(scheduler, "job_rate_limiter"):
        return False
    scheduler.job_rate_limiter = None
    return True
