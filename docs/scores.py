"""Writes docs/scores.md: every score of oecal/scores, from its own docstring and signature.

`make docs` runs it.
"""

import ast
from pathlib import Path

from oecal.scores.catalogue import FOLDER, PREFIXES, Score, list_scores

HEAD = """# All scores

Higher means more anomalous, always. A score's word in the configuration is its function's name. `make docs` writes this page from the
functions' own docstrings; [uncertainty.md](uncertainty.md) tells how they are computed, tuned and compared, [density.md](density.md) what
those of density models are about.
"""
OF = dict(
    zip(
        PREFIXES,
        ("ID training images", "ID validation images", "the background model", "all seeds"),
        strict=True,
    )
)


def needs(score: Score) -> str:
    """What a score needs, for readers: logits; features of ID training images; ..."""
    found: dict[str, list[str]] = {}
    for argument in score.arguments:
        prefix = next(
            (p for p in PREFIXES if p in score.prefixes and argument.startswith(p + "_")), ""
        )
        found.setdefault(prefix, []).append(f"`{argument.removeprefix(prefix + '_')}`")
    return "; ".join(
        ", ".join(names) + (f" of {OF[prefix]}" if prefix else "")
        for prefix, names in found.items()
    )


def family(path: Path, members: list[Score]) -> str:
    """The scores of one file as Markdown."""
    tree = ast.parse(path.read_text())
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    lines = [
        f"## `{path.relative_to(FOLDER.parent.parent)}`",
        "",
        " ".join((ast.get_docstring(tree) or "").split()),
        "",
    ]
    for score in members:
        text = " ".join(
            (ast.get_docstring(functions[score.function]) or "").partition(">>>")[0].split()
        )  # without its examples
        lines.append(f"- **`{score.name}`**: {text} *Needs {needs(score)}.*")
        for key, values in score.grids.items():
            lines[-1] += (
                f" *Chosen: `{key}` of {', '.join(map(str, values))}; published {score.options[key]}.*"
            )
    return "\n".join(lines)


def page() -> str:
    found: dict[str, list[Score]] = {}
    for score in list_scores().values():
        found.setdefault(score.family, []).append(score)
    return (
        "\n\n".join(
            [
                HEAD.rstrip(),
                *(
                    family(FOLDER / f"{name}.py", members)
                    for name, members in sorted(found.items())
                ),
            ]
        )
        + "\n"
    )


if __name__ == "__main__":
    (Path(__file__).parent / "scores.md").write_text(page())
