"""Kill a small study again and again, spoil its files and fill its disk.

After each fault the next run must finish the study with the tables of an undisturbed one.

    python -m tests.faults.harness --kills 50 --to results/faults.csv

takes half an hour on two cores; `make faults` runs it.
"""

from __future__ import annotations

import argparse
import csv
import os
import random
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tqdm import tqdm

from tests.faults.inject import Fault, fill_disk, kill_processes, spoil_checkpoint, spoil_files
from tests.faults.study_copy import StudyCopy


def inject_faults(folder: Path, kills: int, seed: int) -> Iterator[Fault]:
    """Inject every kind of fault, one after the other."""
    rng = random.Random(seed)
    (folder / "undisturbed").mkdir()
    undisturbed = StudyCopy(folder / "undisturbed")
    if undisturbed.run():
        raise RuntimeError(undisturbed.log.read_text())
    truth = undisturbed.tables()
    yield from spoil_files(undisturbed, rng, truth)
    yield from spoil_checkpoint(undisturbed, rng, truth)
    if os.geteuid() == 0:
        yield from fill_disk(undisturbed, truth)
    (folder / "disturbed").mkdir()
    yield from kill_processes(StudyCopy(folder / "disturbed"), kills, rng, truth)


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
            inject_faults(Path(folder).resolve(), options.kills, options.seed), unit="faults"
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
