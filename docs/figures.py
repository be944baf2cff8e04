"""Writes docs/figures.md: every figure of the default study, what it shows, and its command.

`make docs` runs it.

The pictures are those of the last run of the default study, in half their size, if there is one;
else the ones in docs/figures/ stay.
"""

import ast
from pathlib import Path

import yaml
from PIL import Image

DOCS = Path(__file__).parent
ROOT = DOCS.parent
FIGURES = yaml.safe_load((ROOT / "config.yaml").read_text())["figures"]
DRAWN = ROOT / "results" / "demo" / "figures"
HEAD = """# All figures

Each is one file of `oecal/figures/`, one rule of `workflow/rules/figures/` and one caption of `workflow/report/`, and is drawn if its
name stands under `figures` of a study. The pictures are from the default study, of its first in-distribution set and model that fit;
`report.html` of a study has all of them, with what is seen there.

    make figures                                                # all figures of the default study that are out of date
    snakemake --cores 1 results/demo/figures/reliability.pdf    # one of them
"""


def about(figure: str) -> str:
    """The first line of a figure's file."""
    return (
        ast.get_docstring(ast.parse((ROOT / "oecal" / "figures" / f"{figure}.py").read_text()))
        or ""
    ).splitlines()[0]


def page() -> str:
    parts = [HEAD.rstrip()]
    for figure in FIGURES:
        caption = " ".join((ROOT / "workflow" / "report" / f"{figure}.rst").read_text().split())
        picture = f"![{figure}](figures/{figure}.png)"
        parts.append(
            f"## `{figure}`\n\n{about(figure)}\n\n{picture}\n\n*{caption}*\n\n    snakemake --cores 1 results/demo/figures/{figure}.pdf"
        )
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
