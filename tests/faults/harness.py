"""Kills a small study again and again, spoils its files, fills its disk: each next call must end it, with the tables of an undisturbed run.

python -m tests.faults.harness --kills 50 --to results/faults.csv     (about half an hour on two
cores; make faults)
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import yaml
from tqdm import tqdm

from tests.project import copied

TABLES = ("detection", "calibration", "selective", "likelihood", "trainings", "promises")
RESULTS = "results/tiny"
SIZES = ("100k", "1m", "1500k", "2m", "3m", "4m")  # of a disk for results of 5.4 MB


class Fault(NamedTuple):
    """What was done, to what, and how it ended: line is the message of a call that failed.

    same: whether the tables are those expected.
    """

    fault: str
    victim: str
    second: float
    line: str
    same: bool


class Project:
    """A copy of the project in a folder of its own, with a study of a classifier and a density model, and without figures."""

    def __init__(self, folder: Path, epochs: int = 4) -> None:
        self.folder, self.log = copied(folder), folder / "log"
        study = yaml.safe_load((folder / "studies/tiny.yaml").read_text())
        for name in ("glow", "vae", "wrn_size"):
            del study["models"][name]
        for models in (experiment["models"] for experiment in study["experiments"].values()):
            for name in set(models) - set(study["models"]):
                del models[name]
        for model in study["models"].values():
            for training in model["trainings"].values():
                training["epochs"] = epochs
        study["figures"] = ["roc"]
        (folder / "study.yaml").write_text(yaml.safe_dump(study))

    def command(self, *more: str) -> list[str]:
        tables = [f"{RESULTS}/tables/{name}.csv" for name in TABLES]
        return [
            sys.executable,
            "-m",
            "snakemake",
            *tables,
            *more,
            "--configfile",
            "study.yaml",
            "--cores",
            "2",
        ]

    def start(self, *more: str) -> subprocess.Popen[bytes]:
        with open(self.log, "wb") as log:
            return subprocess.Popen(
                self.command(*more),
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def run(self, *more: str) -> int:
        return self.start(*more).wait()

    def jobs(self) -> dict[int, str]:
        """The processes of jobs that run now, and their rules."""
        found = {}
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                words = path.read_bytes().split(b"\0")
                own = path.with_name("cwd").readlink() == self.folder
            except OSError:
                continue
            script = next((word.decode() for word in words if b"/.snakemake/scripts/" in word), "")
            if own and script:
                found[int(path.parent.name)] = script.rsplit(".", 2)[-2]
        return found

    def tables(self) -> dict[str, str]:
        """SHA-256 of each table."""
        paths = [self.folder / f"{RESULTS}/tables/{name}.csv" for name in TABLES]
        return {
            path.stem: hashlib.sha256(path.read_bytes()).hexdigest()
            for path in paths
            if path.exists()
        }

    def message(self) -> str:
        """What the last call that ended in a mistake said first: a job's line, Snakemake's, or the end of a traceback."""
        text = self.log.read_text(errors="replace")
        if "\nTraceback " in text:
            return "traceback: " + text[text.rindex("\nTraceback ") :].strip().splitlines()[-1]
        found = re.search(
            r"(?m)^[\d:]* ?(?:ERROR|CRITICAL) (.*)$|^(results/\S+: .*)$|^(\w+(?:Error|Exception)\b.*(?:\n.+){0,2})",
            text,
        )
        return " ".join((found[1] or found[2] or found[3]).split()) if found else ""


def killed(
    project: Project, kills: int, rng: random.Random, truth: dict[str, str]
) -> Iterator[Fault]:
    """Kills a job or the controller after a random time, calls again, and so on.

    a study that comes to its end starts anew.
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


def spoiled(project: Project, rng: random.Random, truth: dict[str, str]) -> Iterator[Fault]:
    """In the finished study: a bit of a file flipped, or the file removed.

    Where a call refuses the file, it is deleted, as it says.

    The calls ask for the file, too: of what nothing else needs, Snakemake makes nothing again.
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


def checkpoint_spoiled(
    project: Project, rng: random.Random, truth: dict[str, str]
) -> Iterator[Fault]:
    """A bit of a checkpoint flipped, after the training beside it was killed."""
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
    """A file system of its own at a folder; for root only."""
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "oecal-faults", str(folder)], check=True
    )
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def remount(folder: Path, option: str) -> None:
    """Changes the size of a small disk, or whether it can be written."""
    subprocess.run(["mount", "-o", f"remount,{option}", str(folder)], check=True)


def without_room(project: Project, truth: dict[str, str]) -> Iterator[Fault]:
    """The disk of the results full, at one stage after the other, then larger.

    Read-only, then not.
    """
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


def faults(folder: Path, kills: int, seed: int) -> Iterator[Fault]:
    """All of it, one fault after the other."""
    rng = random.Random(seed)
    (folder / "undisturbed").mkdir()
    undisturbed = Project(folder / "undisturbed")
    if undisturbed.run():
        raise RuntimeError(undisturbed.log.read_text())
    truth = undisturbed.tables()
    yield from spoiled(undisturbed, rng, truth)
    yield from checkpoint_spoiled(undisturbed, rng, truth)
    if os.geteuid() == 0:
        yield from without_room(undisturbed, truth)
    (folder / "disturbed").mkdir()
    yield from killed(Project(folder / "disturbed"), kills, rng, truth)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--to", type=Path, default=Path("results/faults.csv"))
    options = parser.parse_args()
    options.to.parent.mkdir(parents=True, exist_ok=True)
    bad = 0
    with tempfile.TemporaryDirectory() as folder, open(options.to, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(Fault._fields)
        for fault in tqdm(
            faults(Path(folder).resolve(), options.kills, options.seed), unit="faults"
        ):
            writer.writerow(
                fault._replace(second=round(fault.second, 1), line=fault.line.replace(folder, ""))
            )
            file.flush()
            bad += not fault.same or fault.line.startswith("traceback")
    print(f"{options.to}: {bad} of the faults left other tables, or none, or a traceback")
    sys.exit(bad > 0)


if __name__ == "__main__":
    main()
