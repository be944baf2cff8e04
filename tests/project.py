"""A copy of the project, in which a test may run studies and edit files."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
PARTS = ("Snakefile", "config.yaml", "oecal", "workflow", "profiles", "studies", "envs")


def copy_project(folder: Path, *more: str) -> Path:
    """Copy what a study needs, and `more`, into a folder; return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in (*PARTS, *more):
        if (ROOT / name).is_dir():
            shutil.copytree(
                ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__")
            )
        else:
            shutil.copy(ROOT / name, folder)
    return folder


def run_snakemake(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Snakemake in a copy of the project, on two cores and one thread a job."""
    return subprocess.run(
        [sys.executable, "-m", "snakemake", "--cores", "2", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


def count_jobs(folder: Path, study: str) -> dict[str, int]:
    """Rule -> number of jobs that a run of the study would start now."""
    done = run_snakemake(folder, "--configfile", study, "-n")
    assert done.returncode == 0, done.stderr
    table = re.search(
        r"Job stats:\njob\s+count\n[- ]+\n(.*?)\ntotal", done.stderr + done.stdout, re.DOTALL
    )
    counts = dict(line.split() for line in table[1].splitlines()) if table else {}
    return {rule: int(n) for rule, n in counts.items() if rule != "all"}
