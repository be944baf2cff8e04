"""Writes docs/scores.md: every score of oecal/scores, from its own docstring and signature.

`make docs` runs it.
"""

import ast
from pathlib import Path

from oecal.core.components import parse_component
from oecal.scores.catalogue import PREFIXES, Score, list_scores

HEAD = """# All scores

Higher means more anomalous, always. A score's name in the configuration is its function's name.
`make docs` writes this page from the functions' own docstrings; [uncertainty.md](uncertainty.md)
tells how scores are computed, tuned and compared, [density.md](density.md) what those of density
models are about.
"""
SOURCES = dict(
    zip(
        PREFIXES,
        ("ID training images", "ID validation images", "the background model", "all seeds"),
        strict=True,
    )
)


def describe_needs(score: Score) -> str:
    """What a score needs, for readers: logits; features of ID training images; ..."""
    arguments: dict[str, list[str]] = {}
    for argument in score.arguments:
        prefix = next(
            (p for p in PREFIXES if p in score.prefixes and argument.startswith(p + "_")), ""
        )
        arguments.setdefault(prefix, []).append(f"`{argument.removeprefix(prefix + '_')}`")
    return "; ".join(
        ", ".join(names) + (f" of {SOURCES[prefix]}" if prefix else "")
        for prefix, names in arguments.items()
    )


def describe_family(family: str, members: list[Score]) -> str:
    """The scores of one file as Markdown."""
    tree = parse_component("scores", family)
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    lines = [
        f"## `oecal/scores/{family}.py`",
        "",
        " ".join((ast.get_docstring(tree) or "").split()),
        "",
    ]
    for score in members:
        docstring = ast.get_docstring(functions[score.function]) or ""
        text = " ".join(docstring.partition(">>>")[0].split())  # without its examples
        lines.append(f"- **`{score.name}`**: {text} *Needs {describe_needs(score)}.*")
        for key, values in score.grids.items():
            lines[-1] += (
                f" *Chosen: `{key}` of {', '.join(map(str, values))}; "
                f"published {score.options[key]}.*"
            )
    return "\n".join(lines)


def page() -> str:
    families: dict[str, list[Score]] = {}
    for score in list_scores().values():
        families.setdefault(score.family, []).append(score)
    sections = [describe_family(name, members) for name, members in sorted(families.items())]
    return "\n\n".join([HEAD.rstrip(), *sections]) + "\n"


if __name__ == "__main__":
    (Path(__file__).parent / "scores.md").write_text(page())
