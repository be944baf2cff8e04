"""Writes docs/figures.md: every figure of the default study, what it shows, and its command.

`make docs` runs it.

The pictures are those of the last run of the default study, in half their size, if there is one;
else the ones in docs/figures/ stay.
"""

import ast
from pathlib import Path

import yaml
from PIL import Image

from oecal.study.figure_files import read_figure

DOCS = Path(__file__).parent
ROOT = DOCS.parent
FIGURES = yaml.safe_load((ROOT / "config.yaml").read_text())["figures"]
DRAWN = ROOT / "results" / "demo" / "figures"
HEAD = """# All figures

Each figure is one file of `oecal/figures/`, which says what it is drawn from and holds its caption.
It is drawn if its name is listed under `figures` in a study. The pictures are from the default
study, for the first in-distribution set and model that fit; the `report.html` of a study has all of
them, with what they show there in numbers.

    make figures                                                # all that are out of date
    snakemake --cores 1 results/demo/figures/reliability.pdf    # one of them
"""


def describe(figure: str) -> str:
    """Return the first paragraph of a figure's file."""
    tree = ast.parse((ROOT / "oecal" / "figures" / f"{figure}.py").read_text())
    return " ".join((ast.get_docstring(tree) or "").split("\n\n")[0].split())


def page() -> str:
    parts = [HEAD.rstrip()]
    for figure in FIGURES:
        parts += [
            f"## `{figure}`",
            describe(figure),
            f"![{figure}](figures/{figure}.png)",
            f"*{read_figure(figure).caption}*",
            f"    snakemake --cores 1 results/demo/figures/{figure}.pdf",
        ]
    return "\n\n".join(parts) + "\n"


def copy() -> None:
    """Half-size pictures with 64 colours: a tenth of the bytes."""
    (DOCS / "figures").mkdir(exist_ok=True)
    for figure in FIGURES:
        if (DRAWN / f"{figure}.png").exists():
            with Image.open(DRAWN / f"{figure}.png") as drawn:
                small = drawn.convert("RGB").resize(
                    (drawn.width // 2, drawn.height // 2), Image.Resampling.LANCZOS
                )
                small.quantize(64).save(DOCS / "figures" / f"{figure}.png", optimize=True)


if __name__ == "__main__":
    (DOCS / "figures.md").write_text(page())
    copy()
