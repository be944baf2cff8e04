"""A copy of the project with a small study, to be killed and spoiled."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
from pathlib import Path

import yaml

from tests.project import copy_project

TABLES = ("detection", "calibration", "selective", "likelihood", "trainings", "promises")
RESULTS = "results/tiny"
# In the log: the line of a job, of Snakemake, or the end of a traceback.
ERROR = re.compile(
    r"^[\d:]* ?(?:ERROR|CRITICAL) (.*)$"
    r"|^(results/\S+: .*)$"
    r"|^(\w+(?:Error|Exception)\b.*(?:\n.+){0,2})",
    re.MULTILINE,
)


class StudyCopy:
    """A copy of the project with a study of a classifier and a density model."""

    def __init__(self, folder: Path, epochs: int = 4) -> None:
        self.folder, self.log = copy_project(folder), folder / "log"
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
        """Process id -> rule, of the jobs that run now."""
        rules = {}
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                words = path.read_bytes().split(b"\0")
                own = path.with_name("cwd").readlink() == self.folder
            except OSError:
                continue
            script = next((word.decode() for word in words if b"/.snakemake/scripts/" in word), "")
            if own and script:
                rules[int(path.parent.name)] = script.rsplit(".", 2)[-2]
        return rules

    def tables(self) -> dict[str, str]:
        """SHA-256 of each table."""
        paths = [self.folder / f"{RESULTS}/tables/{name}.csv" for name in TABLES]
        return {
            path.stem: hashlib.sha256(path.read_bytes()).hexdigest()
            for path in paths
            if path.exists()
        }

    def message(self) -> str:
        """The first error that the last call logged; empty if there is none."""
        text = self.log.read_text(errors="replace")
        if "\nTraceback " in text:
            return "traceback: " + text[text.rindex("\nTraceback ") :].strip().splitlines()[-1]
        error = ERROR.search(text)
        return " ".join((error[1] or error[2] or error[3]).split()) if error else ""
