"""With what, where and how long results were computed.

As far as it can be read from this machine and from the jobs' logs (oecal.core.log).
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from importlib import metadata
from pathlib import Path
from typing import TypedDict

from oecal.core.codegraph import ROOT, compute_fingerprint

PACKAGES = (
    "snakemake-minimal",
    "snakemake",
    "torch",
    "torchvision",
    "numpy",
    "scipy",
    "scikit-learn",
    "pandas",
    "h5py",
    "matplotlib",
)
CODE = ("oecal/**/*.py", "workflow/**/*.smk", "workflow/**/*.py", "Snakefile")
TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?= )")  # at the start of a log line


def list_versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that are installed here."""
    versions = {"Python": platform.python_version()}
    for package in PACKAGES:
        with suppress(metadata.PackageNotFoundError):
            versions[package] = metadata.version(package)
    return versions


def fingerprint_code() -> str:
    """Return the SHA-256 over names and contents of the library and the workflow."""
    return compute_fingerprint(
        path.relative_to(ROOT).as_posix() for pattern in CODE for path in ROOT.glob(pattern)
    )


def read_processor() -> str:
    """Return the name of the CPU, or its architecture where the system does not tell the name."""
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        text = ""
    name = re.search(r"model name\s*:\s*(.+)", text)
    return name[1].strip() if name else platform.processor() or platform.machine()


def list_gpus() -> str:
    """Return the names of the GPUs, as nvidia-smi lists them; `none` without one."""
    if not (tool := shutil.which("nvidia-smi")):
        return "none"
    command = [tool, "--query-gpu=name", "--format=csv,noheader"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return ", ".join(done.stdout.split("\n")[:-1]) or "none"


def describe_hardware() -> dict[str, str]:
    """Return CPU, cores, GPU, system and, where it is known, memory of this machine."""
    hardware = {
        "CPU": read_processor(),
        "cores": str(os.cpu_count()),
        "GPU": list_gpus(),
        "system": f"{platform.system()} {platform.machine()}",
    }
    if {"SC_PAGE_SIZE", "SC_PHYS_PAGES"} <= os.sysconf_names.keys():
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        hardware["memory"] = f"{memory / 2**30:.0f} GiB"
    return hardware


def count_seconds(lines: Iterable[str]) -> int:
    """Return the time between the first and the last line of a log.

    Lines without a time, such as those of a traceback, are passed over.
    """
    times = [datetime.fromisoformat(match[0]) for line in lines if (match := TIME.match(line))]
    return int((times[-1] - times[0]).total_seconds()) if times else 0


class JobTimes(TypedDict):
    """How many jobs of one kind ran, and how long in all."""

    step: str
    jobs: int
    minutes: str


def list_jobs(folder: str | Path) -> list[JobTimes]:
    """Return the jobs and minutes of each kind of job that left logs below this folder.

    The workflow's own log, at the top of the folder, is left out.
    """
    seconds: dict[str, list[int]] = {}
    for path in sorted(Path(folder).glob("*/**/*.log")):
        step = path.relative_to(folder).parts[0]
        lines = path.read_text(errors="replace").splitlines()
        seconds.setdefault(step, []).append(count_seconds(lines))
    return [
        {"step": step, "jobs": len(spent), "minutes": f"{sum(spent) / 60:.1f}"}
        for step, spent in seconds.items()
    ]


def count_devices(folder: str | Path) -> dict[str, int]:
    """Return what trainings and predictions ran on, as they logged it, and how many of them.

    A name is like `CPU, 1 thread(s), float32, torch 2.11`.
    """
    logs = [
        path
        for step in ("train", "predict")
        for path in sorted(Path(folder).glob(f"{step}/**/*.log"))
    ]
    matches = (re.search(r"INFO on (.+)", path.read_text(errors="replace")) for path in logs)
    return dict(Counter(match[1] for match in matches if match))
