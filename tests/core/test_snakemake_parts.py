"""Parts of Snakemake that its documentation does not promise: are they there, and what if not."""

import json
import subprocess
import sys
from types import SimpleNamespace

import pytest

from oecal.core import snakemake_parts
from oecal.core.codegraph import ROOT

SNAKEFILE = f"""
import json, sys
sys.path.insert(0, {str(ROOT)!r})
from oecal.core.snakemake_parts import *

rule all:
    input: "a.txt", "b.txt"

rule write:
    output: "{{name}}.txt"
    shell: "touch {{output}}"

onstart:
    told = {{
        "list_config_files": [path.name for path in list_config_files(workflow)],
        "runs_jobs_elsewhere": runs_jobs_elsewhere(workflow),
        "count_waiting_jobs": count_waiting_jobs(workflow),
        "lift_rate_limit": lift_rate_limit(workflow),
    }}
    with open("told.json", "w") as file:
        json.dump(told, file)
"""
EXPECTED = {
    "list_config_files": ["given.yaml"],
    "runs_jobs_elsewhere": False,
    "count_waiting_jobs": {"all": 1, "write": 2},
    "lift_rate_limit": True,
}


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """What each function tells, called as a run of the installed Snakemake starts."""
    folder = tmp_path_factory.mktemp("snakemake")
    (folder / "Snakefile").write_text(SNAKEFILE)
    (folder / "given.yaml").write_text("{key: 1}")
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "--configfile", "given.yaml"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads((folder / "told.json").read_text())


@pytest.mark.parametrize("name", EXPECTED)
def test_the_installed_snakemake_has_the_part(told, name):
    lost = getattr(snakemake_parts, name).__doc__
    assert told[name] == EXPECTED[name], f"this Snakemake has changed what {name} reads: {lost}"


@pytest.mark.parametrize(
    "workflow",
    [
        object(),
        SimpleNamespace(dag=object(), scheduler=object(), output_settings=object()),
        SimpleNamespace(overwrite_configfiles=7, non_local_exec=lambda: False, dag=None),
    ],
)
def test_without_the_parts_nothing_breaks(workflow):
    assert snakemake_parts.list_config_files(workflow) is None
    assert snakemake_parts.runs_jobs_elsewhere(workflow) is None
    assert snakemake_parts.count_waiting_jobs(workflow) == {}
    assert snakemake_parts.lift_rate_limit(workflow) is False


def test_the_rate_stays_limited_where_jobs_run_elsewhere():
    scheduler = SimpleNamespace(job_rate_limiter="limited")
    workflow = SimpleNamespace(non_local_exec=True, scheduler=scheduler)
    assert not snakemake_parts.lift_rate_limit(workflow)
    assert scheduler.job_rate_limiter == "limited"


def test_another_logger_gets_the_records_as_they_are():
    workflow = SimpleNamespace(
        dag=SimpleNamespace(needrun_jobs=list),
        output_settings=SimpleNamespace(log_handler_settings={"json": {}}),
    )
    assert snakemake_parts.count_waiting_jobs(workflow) == {}
