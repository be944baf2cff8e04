"""Writes docs/configuration.md: every key of the schema, every option of every component.

`make docs` runs it.
"""

import ast
import dataclasses
from collections.abc import Mapping
from pathlib import Path

from docs.configuration_keys import code, escaped, keys, table, written
from oecal.core.components import (
    list_components,
    load_options_class,
    parse_component,
    read_constant,
    read_field_docs,
)
from oecal.core.options import describe
from oecal.study.check_experiments import list_corruptions
from oecal.study.schema import build_schema

HEAD = """# Configuration

Every key that a study may have, and the options of every component. `make docs` writes this page
from `workflow/schemas/config.schema.json` and from the `Options` classes in `oecal/`. A mistake in
a configuration ends in one line before any job starts.

## The smallest study

Only these keys must be there; `options` is here to make it fast. It runs as it stands, in a few
minutes on a CPU.

```yaml
study: smallest # its results go to results/smallest
datasets: # by name; each is built once
  digits: {source: digits} # the name of a source, here built-in images, and its options
  faces: {source: faces}
models:
  wrn: # the architecture, unless a key `architecture` names another one
    options: {depth: 10, width: 1}
    scores: [msp] # what uncertainty is measured by
    trainings:
      baseline: {epochs: 1, lr: 0.1} # the objective, unless a key `objective` names another one
experiments:
  digits: # the in-distribution set
    models: {wrn: [baseline]} # which trainings of which models
    far: [faces] # what is out-of-distribution: near, far or synthetic
```

## One file over another

    snakemake --cores 2 --configfile studies/grey28.yaml studies/small/grey28.yaml

A file given with `--configfile` stands alone: `config.yaml`, the default study, is not read. Of
several files each later one lies over those before it. Mappings are joined key by key; everything
else, lists included, is replaced. So the second file need not be a whole study:

    study: grey28_short                                   # or it would write into the first's
    seeds: [0, 1]                                         # the list is replaced
    models: {wrn: {trainings: {baseline: {epochs: 1}}}}   # this number, too; all else stays
    experiments: {fashion: {models: {glow: []}}}          # no training: the model is left out
    claims: ''                                            # as some of the first's are about it

A key cannot be taken away, so a data set with another `source` keeps the options of the former one:
give it another name. To change the default study, name it: `--configfile config.yaml mine.yaml`.

## Keys

`<name>` stands for a name of your own: lower-case letters, digits and underscores, a letter first;
under `experiments` it is a data set, then a model. A dash: without this key nothing is done, or
what the description says.
"""
SOURCES = """## Options of data sets

They stand beside `source`, in the data set's own entry: `{source: photos, size: 28}`. Published
sets (`source: cifar10`, and so on: [datasets.md](datasets.md)) have those of `published`.
[data.md](data.md) says how data sets are used."""
MODELS = """## Options of models

Under `models.<name>.options`, by `architecture`."""
OBJECTIVES = """## Options of training objectives

Under `models.<name>.trainings.<name>.options`, by `objective`. [uncertainty.md](uncertainty.md) and
[density.md](density.md) say what they are for."""
KINDS = {"classifier": "classifier", "density": "density model"}


def limits(cls: ast.ClassDef, texts: Mapping[str, str]) -> dict[str, str]:
    """The limits of options, from the messages of __post_init__: `depth is ...; expected 6n + 4`.

    In a loop they are of all its names.
    """
    found: dict[str, str] = {}

    def look(node: ast.AST, looped: tuple[str, ...]) -> None:
        if isinstance(node, ast.For):
            looped = ast.literal_eval(node.iter)
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            message = node.exc.args[0]
            parts = message.values if isinstance(message, ast.JoinedStr) else [message]
            text = "".join(str(p.value) for p in parts if isinstance(p, ast.Constant))
            before, _, limit = text.replace("; expected ", "; write ").partition("write ")
            words = before.replace(",", " ").replace(":", " ").split()
            if limit:
                found.update(dict.fromkeys([*looped, *(f for f in texts if f in words)], limit))
        for child in ast.iter_child_nodes(node):
            look(child, looped)

    look(cls, ())
    return found


def component(folder: str, name: str, more: str = "") -> str:
    """A component: what it is, and a row for each option."""
    module = parse_component(folder, name)
    cls = next(
        node for node in module.body if isinstance(node, ast.ClassDef) and node.name == "Options"
    )
    about = (
        " ".join((ast.get_docstring(module) or "").split("\n\n")[0].split()),
        " ".join((ast.get_docstring(cls) or "").split()),
    )
    lines = [
        f"### `{name}`",
        "",
        " ".join([escaped(about[0]), more, escaped(about[1])]).replace("  ", " ").strip(),
        "",
    ]
    texts, rows = read_field_docs(folder, name), []
    of_options = limits(cls, texts)
    for field in dataclasses.fields(load_options_class(folder, name)):
        default = (
            "required" if field.default is dataclasses.MISSING else code(written(field.default))
        )
        kind = (
            describe(field.type).removeprefix("an ").removeprefix("a ").replace("one of:", "one of")
        )
        limit = (
            f": {of_options[field.name].removeprefix('a number ')}"
            if field.name in of_options and kind != "text"
            else ""
        )
        rows.append((code(field.name), escaped(kind + limit), default, escaped(texts[field.name])))
    return "\n".join(
        [
            *lines,
            table("option | type, limits | default | meaning", rows) if rows else "No options.",
        ]
    )


def purpose(folder: str, name: str) -> str:
    """What a model or an objective is for."""
    if folder == "models":
        return f"A {KINDS[read_constant(folder, name, 'KIND')]}."
    outliers = "with" if read_constant(folder, name, "OUTLIERS") else "without"
    kinds = " or a ".join(KINDS[kind] for kind in read_constant(folder, name, "FOR"))
    return f"For a {kinds}; {outliers} auxiliary outliers."


def listed(values: list[str]) -> str:
    return ", ".join(f"`{value}`" for value in values)


def other_names() -> str:
    """The names that keys may hold and that have no options."""
    calibrators, metrics = (
        list_components("calibrators", "OUTLIERS"),
        list_components("metrics", "TABLE"),
    )
    rows = [
        (
            code("measures.post_hoc"),
            "; ".join(
                f"`{n}`"
                + (
                    " (with auxiliary outliers)"
                    if read_constant("calibrators", n, "OUTLIERS")
                    else ""
                )
                for n in calibrators
            )
            + ": [calibration.md](calibration.md)",
        ),
        (
            code("measures.metrics"),
            "; ".join(f"`{n}`, of `{read_constant('metrics', n, 'TABLE')}.csv`" for n in metrics),
        ),
        (
            code("models.<name>.scores"),
            "all of [scores.md](scores.md) that the model has what they need for",
        ),
        (code("figures"), "all of [figures.md](figures.md)"),
        (code("experiments.<name>.corruptions"), listed(list_corruptions())),
        (
            code("experiments.<name>.attacks"),
            listed(read_constant("predict", "adversarial", "ATTACKS")),
        ),
        (
            code("experiments.<name>.paths"),
            "OOD sets of the experiment, " + listed(read_constant("data", "image_paths", "FADES")),
        ),
        (code("claims"), "a file: [claims.md](claims.md)"),
    ]
    return "## Names without options\n\n" + table("key | may hold", rows)


def page() -> str:
    root = build_schema()
    parts = [HEAD.rstrip()]
    needed = root["required"]
    alone = [
        row
        for key, sub in root["properties"].items()
        for row in keys(sub, root, key, key in needed)
    ]
    groups: dict[str, list[tuple[str, ...]]] = {}
    for row in alone:
        top = row[0].strip("`").split(".")[0]
        groups.setdefault(top, []).append(row)
    head = "key | type, limits | default | meaning"
    parts += [f"### {top}\n\n{table(head, rows)}" for top, rows in groups.items()]
    parts += [
        other_names(),
        SOURCES,
        *(component("data", name) for name in list_components("data")),
    ]
    parts += [
        MODELS,
        *(component("models", name, purpose("models", name)) for name in list_components("models")),
    ]
    parts += [
        OBJECTIVES,
        *(
            component("training", name, purpose("training", name))
            for name in list_components("training")
        ),
    ]
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    (Path(__file__).parent / "configuration.md").write_text(page())
