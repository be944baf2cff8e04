"""A copy of the project, in which a test may run studies and edit files."""

import shutil
from pathlib import Path

ROOT = Path(__file__).parent.parent
PARTS = ("Snakefile", "config.yaml", "oecal", "workflow", "profiles", "studies", "envs")


def copied(folder: Path, *more: str) -> Path:
    """Copies what a study needs, and `more`, into a folder; returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in (*PARTS, *more):
        if (ROOT / name).is_dir():
            shutil.copytree(
                ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__")
            )
        else:
            shutil.copy(ROOT / name, folder)
    return folder
