"""Faults, one function for each kind: what a study meets, and how it ends.

Each yields a `Fault` for what it did. `truth` are the checksums of an undisturbed study's tables.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.faults.study_copy import RESULTS, StudyCopy

SIZES = ("100k", "1m", "1500k", "2m", "3m", "4m")  # of a disk for results of 5.4 MB


class Fault(NamedTuple):
    """What was done, to what, after how many seconds, and how it ended.

    line: the message of the run that failed; same: whether the tables are as expected.
    """

    fault: str
    victim: str
    second: float
    line: str
    same: bool


def kill_processes(
    project: StudyCopy, kills: int, rng: random.Random, truth: dict[str, str]
) -> Iterator[Fault]:
    """Kill a job or the controller after a random time, run again, and so on.

    A study that comes to its end starts anew.
    """
    done = 0
    while done < kills:
        process, began = project.start(), time.monotonic()
        deadline = began + rng.uniform(2, 15)
        while process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        if process.poll() is not None:
            yield Fault(
                "none", "", time.monotonic() - began, project.message(), project.tables() == truth
            )
            shutil.rmtree(project.folder / RESULTS)
            if rng.random() < 0.5:
                shutil.rmtree(project.folder / "results")
            continue
        second, jobs = time.monotonic() - began, project.jobs()
        if jobs and rng.random() < 0.7:
            victim = rng.choice(sorted(jobs))
            os.kill(victim, signal.SIGKILL)
            process.wait()
            yield Fault("job killed", jobs[victim], second, project.message(), True)
        else:
            process.kill()
            process.wait()
            if rng.random() < 0.5:  # with all its jobs; else these go on by themselves
                for job in project.jobs():
                    os.kill(job, signal.SIGKILL)
            subprocess.run(project.command("--unlock"), cwd=project.folder, capture_output=True)
            yield Fault("controller killed", " ".join(sorted(set(jobs.values()))), second, "", True)
        done += 1
    code = project.run()
    yield Fault("none", "", 0, project.message(), code == 0 and project.tables() == truth)


def spoil_files(project: StudyCopy, rng: random.Random, truth: dict[str, str]) -> Iterator[Fault]:
    """Flip a bit of a file of the finished study, or remove the file, and run again.

    If the run refuses the file, it is deleted, as the message says, and the study is run once more.
    Each run also asks for the file itself: Snakemake makes again only what is asked for or needed.
    """
    kinds = {
        "image store": "results/data/tiny_digits.h5",
        "weights": f"{RESULTS}/models/tiny_digits/wrn/baseline/seed0/model.safetensors",
        "SWAG weights": f"{RESULTS}/models/tiny_digits/wrn/baseline/seed0/swag.safetensors",
        "outputs": f"{RESULTS}/outputs/tiny_digits/wrn/oe_tune/seed0.h5",
        "scores": f"{RESULTS}/scores/tiny_photos/pixelcnn/oe_tune/seed0.h5",
        "statistics": f"{RESULTS}/statistics/tiny_photos.h5",
    }
    for kind, name in kinds.items():
        path = project.folder / name
        for fault in ("bit flipped", "removed"):
            if fault == "removed":
                path.unlink()
            else:
                content = bytearray(path.read_bytes())
                content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
                path.write_bytes(content)
            code, line = project.run(name), project.message()
            if code:
                path.unlink(missing_ok=True)
                code = project.run(name)
            yield Fault(
                fault, kind, 0, line, code == 0 and project.tables() == truth and path.exists()
            )


def spoil_checkpoint(
    project: StudyCopy, rng: random.Random, truth: dict[str, str]
) -> Iterator[Fault]:
    """Flip a bit of a checkpoint whose training was killed."""
    shutil.rmtree(project.folder / RESULTS)
    path = project.folder / f"{RESULTS}/models/tiny_photos/pixelcnn/baseline/seed0/checkpoint.pt"
    process = project.start()
    while not path.exists() and process.poll() is None:
        time.sleep(0.01)
    for job in project.jobs():
        os.kill(job, signal.SIGKILL)
    process.wait()
    content = bytearray(path.read_bytes())
    content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    path.write_bytes(content)
    code = project.run()
    warning = re.findall(r"WARNING (.*checkpoint.pt cannot be read.*)", project.log.read_text())
    yield Fault(
        "bit flipped", "checkpoint", 0, "".join(warning), code == 0 and project.tables() == truth
    )


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[None]:
    """Mount a file system of this size at a folder; for root only."""
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "oecal-faults", str(folder)], check=True
    )
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def remount(folder: Path, option: str) -> None:
    """Change the size of a small disk, or whether it can be written."""
    subprocess.run(["mount", "-o", f"remount,{option}", str(folder)], check=True)


def fill_disk(project: StudyCopy, truth: dict[str, str]) -> Iterator[Fault]:
    """Fill the disk of the results at one stage after the other, then make it read-only."""
    shutil.rmtree(project.folder / "results")
    disk = project.folder / "results"
    with small_disk(disk, SIZES[0]):
        for size in SIZES:
            remount(disk, f"size={size}")
            yield Fault(
                "disk full",
                size,
                0,
                project.message() if project.run() else "",
                not project.tables(),
            )
        remount(disk, "size=1g")
        yield Fault("none", "", 0, "", project.run() == 0 and project.tables() == truth)
        shutil.rmtree(disk / "tiny" / "tables")
        remount(disk, "ro")
        code, line = project.run(), project.message()
        remount(disk, "rw")
        again = project.run()
        yield Fault(
            "read-only", "results", 0, line, code != 0 and again == 0 and project.tables() == truth
        )
