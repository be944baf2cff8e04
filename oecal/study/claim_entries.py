"""Claims: sentences that a study makes, each tied to a number of a table and to a criterion.

Read, checked, and shown in the report.

The file is a mapping from a claim's name to

    statement: Outlier Exposure lowers the FPR95 of MSP on far-OOD sets.
    table: detection          # a table of the study, tables/<table>.csv
    where: {in_dist: fashion, model: wrn, training: oe_tune, score: msp, kind: far}  # its rows: column: value, or a list of values
    minus: {training: baseline}  # optional: less the same with other values in these columns, of the same seed
    value: fpr95              # a column, or a difference of two: mean_confidence - accuracy
    is: below                 # below, above, or within a margin
    than: 0                   # 0 if left out
    margin: 0.01              # of within: less than so far from `than`
    figure: oe_gain           # optional: the figure that shows it

A seed's number is the mean over the rows that match, so all OOD sets count alike.
`oecal.tables.claims` computes and judges it.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from oecal.core.codegraph import ROOT
from oecal.core.components import explain_unknown, list_components, parse_component, read_constant
from oecal.core.errors import OecalError, summarize_error
from oecal.core.roles import OOD
from oecal.data.table import LOADER
from oecal.scores.catalogue import find_score
from oecal.study.figure_files import list_figures
from oecal.study.figure_plan import list_fitting_runs
from oecal.study.study import RunKey, Study

Claim = Mapping[str, Any]

KEYS = {
    "statement": "a sentence",
    "table": "a table",
    "where": "column: value, or a list of values",
    "minus": "column: value",
    "value": "a column, or two with ' - ' between them",
    "is": "below, above or within",
    "than": "a number",
    "margin": "a number above 0",
    "figure": "a figure",
}
REQUIRED = ("statement", "table", "where", "value", "is")
TEXTS = ("statement", "table", "value", "figure")
RUN = ("in_dist", "model", "training")
# Of all others: a fraction. Of `intervals` it is the metric that counts.
UNITS = {
    "nll": "nats",
    "brier": "squared error",
    "bpd": "bits/dim",
    "bpd_mean": "bits/dim",
    "bpd_sd": "bits/dim",
    "temperature": "temperature",
    "reliability": "squared error",
    "resolution": "squared error",
    "ce2_debiased": "squared error",
    "correctness_brier": "squared error",
    "threshold": "score",
    "median_time": "images",
    "q25": "images",
    "q75": "images",
    "length": "images",
    "onset": "images",
    **dict.fromkeys(("n", "n_in", "n_out", "n_id", "n_ood"), "images"),
    "levels": "grey levels",
    "streams": "streams",
    "splits": "splits",
    "without": "splits",
}


def find_claims_file(path: str) -> Path:
    """Return the file at a path below the working directory or else below the repository.

    Raises OecalError if it lies outside both, or if there is none.
    """
    folders = [Path.cwd(), ROOT.resolve()]
    places = [place for base in folders if (place := (base / path).resolve()).is_relative_to(base)]
    if not places:
        raise OecalError(
            f"claims: {path} lies outside {' and '.join(map(str, dict.fromkeys(folders)))}; "
            "use a path below one of them, such as studies/claims/demo.yaml"
        )
    if existing := [place for place in places if place.exists()]:
        return existing[0]
    raise OecalError(
        f"claims: {path} cannot be read: No such file below "
        f"{' or '.join(map(str, dict.fromkeys(folders)))}; "
        "set claims to the path of a YAML file, or to '' for none"
    )


def read(path: str) -> dict[str, Claim]:
    """The entries of a file (`find_claims_file` says where it may be), with defaults.

    Raises OecalError for the first that has a wrong form.
    """
    try:
        content = yaml.load(find_claims_file(path).read_text(), LOADER)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        why = error.strerror if isinstance(error, OSError) else summarize_error(error, 500)
        raise OecalError(
            f"claims: {path} cannot be read: {why}; set claims to the path of a YAML file, "
            "or to '' for none"
        ) from None
    if not isinstance(content, dict) or not content:
        raise OecalError(
            f"claims: {path} holds no claims; write entries, each a name and its keys, as oecal/study/claim_entries.py describes them"
        )
    return {str(name): filled(f"claims.{name}", entry) for name, entry in content.items()}


def filled(place: str, entry: Any) -> Claim:
    """An entry with defaults. Raises OecalError if it has not the form above."""
    if not isinstance(entry, dict):
        raise OecalError(f"{place}: found {entry!r}; write keys and values: {', '.join(REQUIRED)}")
    for key in entry:
        if key not in KEYS:
            raise OecalError(f"{place}: {explain_unknown(key, KEYS)}")
    for key in REQUIRED:
        if key not in entry:
            raise OecalError(f"{place}: the key '{key}' is missing; write {key}: {KEYS[key]}")
    within = entry["is"] == "within"
    claim = {"minus": {}, "than": 0, "margin": 0, "figure": "", **entry}
    right = {
        **{
            key: isinstance(claim[key], str) and (key == "figure" or bool(claim[key].strip()))
            for key in TEXTS
        },
        "where": conditions(claim["where"], listed=True),
        "minus": conditions(claim["minus"], listed=False),
        "is": claim["is"] in ("below", "above", "within"),
        "than": number(claim["than"]),
        "margin": number(claim["margin"]) and (claim["margin"] > 0 or not within),
    }
    for key, fits in right.items():
        if not fits:
            raise OecalError(f"{place}.{key}: found {claim[key]!r}; write {KEYS[key]}")
    if not within and "margin" in entry:
        raise OecalError(f"{place}.margin: is for within only; leave it out, or write is: within")
    for key in RUN:
        if not isinstance(claim["where"].get(key), str):
            raise OecalError(
                f"{place}.where.{key}: found {claim['where'].get(key)!r}; write one name"
            )
    for column in claim["minus"]:
        if column not in claim["where"]:
            raise OecalError(
                f"{place}.minus.{column}: where has no {column} to compare it with; write it there, too"
            )
    return {
        **claim,
        "where": {c: v if isinstance(v, list) else [v] for c, v in claim["where"].items()},
    }


def number(value: object) -> bool:
    """Whether a value from YAML is a finite number; true and false are none."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def conditions(given: object, listed: bool) -> bool:
    """Whether it is a mapping from columns to values, or with `listed` to lists of values."""
    if not isinstance(given, dict):
        return False
    each = [v if listed and isinstance(v, list) else [v] for v in given.values()]
    return all(isinstance(column, str) for column in given) and all(
        values and all(isinstance(v, str | int | float) for v in values) for values in each
    )


def columns(table: str) -> list[str]:
    """The columns of a table, as its file lists them in COLUMNS.

    Starred there are other lists of that file, and RUN.
    """
    lists: dict[str, ast.expr] = {}
    for node in parse_component("tables", table).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            lists[node.targets[0].id] = node.value

    def entries(node: ast.expr) -> list[str]:
        found: list[str] = []
        for item in node.elts if isinstance(node, ast.List | ast.Tuple) else []:
            if isinstance(item, ast.Starred) and isinstance(item.value, ast.Name):
                name = item.value.id
                found += (
                    read_constant("runs", "run_files", "RUN_COLUMNS")
                    if name == "RUN_COLUMNS"
                    else entries(lists[name])
                )
            elif isinstance(item, ast.Constant):
                found.append(str(item.value))
        return found

    return entries(lists["COLUMNS"])


def known_tables() -> list[str]:
    """The tables that a claim may be about: a row for each run and what else, and the same numbers whenever they are built."""
    return [
        name
        for name in list_components("tables", ("costs", "hyperparameters"), mark="\nCOLUMNS = [")
        if columns(name)[:3] == [*RUN]
    ]


def tables(claims: Mapping[str, Claim]) -> list[str]:
    """The tables that these claims are about."""
    return sorted({claim["table"] for claim in claims.values()})


def sides(claim: Claim) -> list[dict[str, list[Any]]]:
    """The conditions on the rows of the number, and, if another one is subtracted, of that."""
    less = {column: [value] for column, value in claim["minus"].items()}
    return [claim["where"], *([{**claim["where"], **less}] if less else [])]


def terms(claim: Claim) -> list[str]:
    """The column of the value, or the two of a difference."""
    columns: list[str] = claim["value"].split(" - ")
    return columns


def check(path: str | None, study: Study) -> dict[str, Claim]:
    """The claims of a file, or none for '' or None.

    Raises OecalError for the first one that this study cannot answer; needs no table.
    """
    claims = read(path) if path else {}
    for name, claim in claims.items():
        check_claim(f"claims.{name}", claim, study)
    return claims


def check_claim(place: str, claim: Claim, study: Study) -> None:
    """Table, columns, runs, values and the figure must be there."""
    if claim["table"] not in known_tables():
        raise OecalError(f"{place}.table: {explain_unknown(claim['table'], known_tables())}")
    there = [*columns(claim["table"]), *study.metrics(claim["table"])]
    if len(terms(claim)) > 2:
        raise OecalError(f"{place}.value: found {claim['value']!r}; write {KEYS['value']}")
    for key, used in {"value": terms(claim), "where": claim["where"]}.items():
        for column in used:
            if column not in there:
                raise OecalError(f"{place}.{key}: {explain_unknown(column, there)}")
    seeds: list[list[int]] = []
    for key, side in zip(("where", "minus"), sides(claim), strict=False):
        in_dist, model, training = (side[column][0] for column in RUN)
        experiments = study.config["experiments"]
        models = experiments.get(in_dist, {}).get("models", {})
        for column, known in {
            "in_dist": experiments,
            "model": models,
            "training": models.get(model, []),
        }.items():
            if (name := side[column][0]) not in known:
                raise OecalError(
                    f"{place}.{key}.{column}: {explain_unknown(name, known)}; a study without it needs another file, or claims: ''"
                )
        values = values_of(study, in_dist, model, training)
        for column, wanted in side.items():
            for value in wanted if column in values else ():
                if value not in values[column]:
                    raise OecalError(
                        f"{place}.{key if column in claim['minus'] else 'where'}.{column}: {explain_unknown(value, values[column])}"
                    )
        seeds.append(seeds_of(study, side))
    if seeds[0] != seeds[-1]:
        raise OecalError(
            f"{place}.minus: has the seeds {seeds[-1]}, but where has {seeds[0]}; write what has the same ones"
        )
    check_figure(place, claim, study)


def seeds_of(study: Study, side: Mapping[str, Sequence[Any]]) -> list[int]:
    """The seeds that can answer: those of the model, or these of them that are asked for.

    Only the first one has a score of all seeds.
    """
    once = any("seeds" in find_score(name).prefixes for name in side.get("score", ()))
    seeds = study.seeds(side["model"][0])[: 1 if once else None]
    return [seed for seed in seeds if seed in side.get("seed", seeds)]


def values_of(study: Study, in_dist: str, model: str, training: str) -> dict[str, Collection[str]]:
    """What may stand in the columns of names, in any table, for a run."""
    experiment, kind = study.config["experiments"][in_dist], study.kind(model)
    sets = [entry["name"].removeprefix("path-") for entry in study.sets(in_dist, kind)]
    return {
        "score": study.scores(RunKey(in_dist, model, training, study.seeds(model)[0])),
        "ood": [name for key in OOD for name in experiment[key]],
        "kind": ["id", *(key for key in OOD if experiment[key]), "reject", "error"],
        "set": ["id", "pooled", *sets, f"{in_dist}/train", f"{in_dist}/val"],
        "post_hoc": ["none", *study.config["measures"]["post_hoc"]],
        "promise": list(study.config["promises"]),
        "outliers": ["none", "like_test", "auxiliary"],
    }


def check_figure(place: str, claim: Claim, study: Study) -> None:
    """The figure must show the model.

    It need not be one of those that the study draws by default.
    """
    if not (figure := claim["figure"]):
        return
    if figure not in list_figures():
        raise OecalError(f"{place}.figure: {explain_unknown(figure, list_figures())}")
    pair = tuple(claim["where"][column][0] for column in RUN[:2])
    if pair not in (shown := [run[:2] for run in list_fitting_runs(study, figure)]):
        others = (
            ", ".join("/".join(other) for other in dict.fromkeys(shown)) or "no model of this study"
        )
        raise OecalError(
            f"{place}.figure: {figure} does not show {'/'.join(pair)}, but {others}; write another one, or leave it out"
        )


def drawn(claim: Claim, variants: Mapping[str, Sequence[Any]]) -> str:
    """The name of the file that shows a claim: its figure, of its run, or at least of its model.

    '' if there is none.

    variants: figure -> [[suffix, [in_dist, model, (training)]], ...]
    """
    subjects = [(suffix, list(subject)) for suffix, subject in variants.get(claim["figure"], ())]
    for side in sides(claim):
        run = [side[column][0] for column in RUN]
        for suffix, subject in subjects:
            if subject == run[: len(subject)]:
                return f"{claim['figure']}{suffix}"
    pair = [claim["where"][column][0] for column in RUN[:2]]
    return next(
        (claim["figure"] + suffix for suffix, subject in subjects if subject[:2] == pair), ""
    )
