"""What the workflow itself costs, beside the work of its jobs.

Measures the demo from nothing to its report, an up-to-date dry run, one figure drawn again, and a
plan of 10,000 jobs.

Runs in a copy of the committed files, with as many cores as the machine has; half an hour on two
slow ones. A job's own compute is the time that its process lives, less the time that Python takes
to start and to import what its script names; what a table's or a figure's own module imports counts
as compute. Memory is the highest resident memory that the kernel saw (VmHWM), of the largest job of
a rule.
"""

from __future__ import annotations

import ast
import functools
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import psutil
import yaml

ROOT = Path(__file__).parent.parent
EVERY = 0.1  # seconds between looks at the processes
SEEDS = 70  # of the study `limits`: about 10,000 jobs


@dataclass
class Job:
    """A job's process, as far as it was seen."""

    rule: str
    began: float
    ended: float = 0.0
    memory: int = 0  # bytes


def snakemake(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "snakemake", "--quiet", "all", *arguments]


def measure_cpu_seconds(command: list[str], folder: Path) -> float:
    """CPU seconds of a command and all that it starts."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def read_peak_memory(pid: int) -> int:
    """The highest resident memory of a process so far, bytes."""
    line = next(
        (
            line
            for line in Path(f"/proc/{pid}/status").read_text().splitlines()
            if line.startswith("VmHWM")
        ),
        "VmHWM: 0",
    )
    return int(line.split()[1]) * 1024


def watch_jobs(command: list[str], folder: Path) -> tuple[float, list[Job]]:
    """Run a command; return its wall time, and the jobs that ran."""
    began = time.monotonic()
    process = psutil.Popen(command, cwd=folder, stdin=subprocess.DEVNULL)
    jobs: dict[int, Job] = {}
    while process.poll() is None:
        now = time.monotonic()
        for child in process.children():
            try:
                if child.pid not in jobs:
                    script = next(
                        (word for word in child.cmdline() if "/.snakemake/scripts/" in word), ""
                    )
                    if not script:
                        continue
                    jobs[child.pid] = Job(script.rsplit(".", 2)[-2], now)
                jobs[child.pid].ended, jobs[child.pid].memory = now, read_peak_memory(child.pid)
            except (psutil.Error, OSError):
                continue
        time.sleep(EVERY)
    if process.returncode:
        sys.exit(f"{' '.join(command)}: failed")
    return time.monotonic() - began, list(jobs.values())


@functools.cache
def measure_start_up(rule: str) -> float:
    """Seconds that Python takes to start and to import what a rule's script imports."""
    tree = ast.parse((ROOT / f"workflow/scripts/{rule}.py").read_text())
    imports = "\n".join(
        ast.unparse(node) for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)
    )
    times = []
    for _ in range(3):
        began = time.monotonic()
        subprocess.run([sys.executable, "-c", imports], cwd=ROOT, check=True)
        times.append(time.monotonic() - began)
    return min(times)


def measure_demo(folder: Path, cores: int) -> None:
    wall, jobs = watch_jobs(snakemake("--cores", str(cores)), folder)
    rules = defaultdict(list)
    for job in jobs:
        rules[job.rule].append(job)
    print(f"\nThe demo on {cores} cores: {wall:.0f} s")
    print(f"  {'rule':28s} {'jobs':>5s} {'seconds':>9s} {'starting':>9s} {'MiB':>7s}")
    lived = starting = 0.0
    for rule, own in sorted(
        rules.items(), key=lambda item: -sum(job.ended - job.began for job in item[1])
    ):
        seconds = sum(job.ended - job.began + EVERY for job in own)
        idle = len(own) * measure_start_up(rule)
        memory = max(job.memory for job in own) / 2**20
        lived, starting = lived + seconds, starting + idle
        print(f"  {rule:28s} {len(own):5d} {seconds:9.1f} {idle:9.1f} {memory:7.0f}")
    busy = 100 * lived / wall / cores
    print(f"  all jobs {lived:.0f} s, of that {starting:.0f} s to start")
    print(f"  cores busy {busy:.0f}% of the time")
    ratio = wall * cores / (lived - starting)
    print(f"  wall time over the jobs' own compute on {cores} cores: {ratio:.2f}")


def main() -> None:
    cores = os.cpu_count() or 1
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "oecal"
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder)], check=True)
        measure_demo(folder, cores)
        nothing_to_do = measure_cpu_seconds(snakemake("-n", "--cores", "1"), folder)
        print(f"\nUp-to-date dry run: {nothing_to_do:.1f} CPU-s")
        figure = "results/demo/figures/roc.pdf"
        again = measure_cpu_seconds(snakemake("--cores", "1", "--force", figure), folder)
        idle = measure_start_up("figure")
        print(f"{figure} again: {again:.1f} CPU-s, of that {idle:.1f} s for the script to start")
        (folder / "many.yaml").write_text(
            yaml.safe_dump({"study": "many", "seeds": list(range(SEEDS))})
        )
        study = ["--cores", "1", "--configfile", "studies/limits.yaml", "many.yaml"]
        graph = measure_cpu_seconds(snakemake("--rulegraph", *study), folder)
        dry_run = measure_cpu_seconds(snakemake("-n", *study), folder)
        print(f"The study limits with {SEEDS} seeds, 9,572 jobs:")
        print(f"  {graph:.1f} CPU-s to the graph of jobs, {dry_run:.1f} for a dry run")


if __name__ == "__main__":
    main()
