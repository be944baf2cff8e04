"""With what, where and how long results were computed, as far as it can be read from this machine and from the jobs' logs."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from importlib import metadata
from pathlib import Path

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
DAY = 24 * 3600


def list_versions() -> dict[str, str]:
    """Python and the packages that are installed here."""
    found = {"Python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def fingerprint_code() -> str:
    """Fingerprint of the library and the workflow: SHA-256 over names and contents."""
    return compute_fingerprint(
        path.relative_to(ROOT).as_posix() for pattern in CODE for path in ROOT.glob(pattern)
    )


def read_processor() -> str:
    """Name of the CPU; its architecture where the system does not tell the name."""
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        text = ""
    found = re.search(r"model name\s*:\s*(.+)", text)
    return found[1].strip() if found else platform.processor() or platform.machine()


def list_gpus() -> str:
    """Names of the GPUs, as nvidia-smi lists them; `none` without one."""
    if not (tool := shutil.which("nvidia-smi")):
        return "none"
    done = subprocess.run(
        [tool, "--query-gpu=name", "--format=csv,noheader"],
        capture_output=True,
        text=True,
        check=False,
    )
    return ", ".join(done.stdout.split("\n")[:-1]) or "none"


def describe_hardware() -> dict[str, str]:
    """CPU, cores, memory, GPU, system of this machine."""
    found = {
        "CPU": read_processor(),
        "cores": str(os.cpu_count()),
        "GPU": list_gpus(),
        "system": f"{platform.system()} {platform.machine()}",
    }
    if {"SC_PAGE_SIZE", "SC_PHYS_PAGES"} <= os.sysconf_names.keys():
        found["memory"] = (
            f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB"
        )
    return found


def count_seconds(lines: list[str]) -> int:
    """Time between the first and the last line of a log, which begin with the time of day.

    a day or more is not told from less.
    """
    times = [
        datetime.strptime(line[:8], "%H:%M:%S")
        for line in lines
        if re.match(r"\d\d:\d\d:\d\d ", line)
    ]
    return int((times[-1] - times[0]).total_seconds()) % DAY if times else 0


def list_jobs(folder: str | Path) -> list[dict[str, str | int]]:
    """step, jobs, minutes of each kind of job that left logs in this folder.

    Its own log, at the top of the folder, apart.
    """
    found: dict[str, list[int]] = {}
    for path in sorted(Path(folder).glob("*/**/*.log")):
        step = path.relative_to(folder).parts[0]
        found.setdefault(step, []).append(
            count_seconds(path.read_text(errors="replace").splitlines())
        )
    return [
        {"step": step, "jobs": len(spent), "minutes": f"{sum(spent) / 60:.1f}"}
        for step, spent in found.items()
    ]


def count_devices(folder: str | Path) -> dict[str, int]:
    """What trainings and predictions ran on, as they logged it: `CPU, 1 thread(s), float32, torch 2.11`, and how many of them."""
    logs: Iterable[Path] = (
        path
        for step in ("train", "predict")
        for path in sorted(Path(folder).glob(f"{step}/**/*.log"))
    )
    found = (re.search(r"INFO on (.+)", path.read_text(errors="replace")) for path in logs)
    return dict(Counter(match[1] for match in found if match))
