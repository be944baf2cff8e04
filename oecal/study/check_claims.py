"""Claims held against their study, before any table is there.

Raises OecalError for the first claim that the study cannot answer, one line that names its key.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Mapping

from oecal.core.components import (
    explain_unknown,
    find_value,
    list_components,
    read_constant,
)
from oecal.core.errors import OecalError
from oecal.core.roles import OOD
from oecal.scores.catalogue import find_score
from oecal.study.claim_entries import CLAIM_RUN, Claim, Value, read_claims
from oecal.study.figure_files import list_figures
from oecal.study.figure_inputs import list_fitting_runs
from oecal.study.study import RunKey, Study


def list_columns(table: str) -> list[str]:
    """The columns of a table, as its file lists them in COLUMNS.

    Starred there are other lists of that file, and RUN_COLUMNS.
    """

    def expand(node: ast.expr | None) -> list[str]:
        columns: list[str] = []
        for item in node.elts if isinstance(node, ast.List | ast.Tuple) else []:
            if isinstance(item, ast.Starred) and isinstance(item.value, ast.Name):
                columns += look_up(item.value.id)
            elif isinstance(item, ast.Constant):
                columns.append(str(item.value))
            else:
                raise OecalError(
                    f"oecal/tables/{table}.py, line {item.lineno}: COLUMNS is read without "
                    "importing the file, so it may hold text and starred lists of names only"
                )
        return columns

    def look_up(name: str) -> list[str]:
        if name == "RUN_COLUMNS":
            return list(read_constant("runs", "run_files", "RUN_COLUMNS"))
        return expand(find_value("tables", table, name))

    return look_up("COLUMNS")


def list_claimable_tables() -> list[str]:
    """The tables that a claim may be about.

    They have a row for each run and what else, and the same numbers whenever they are built.
    """
    tables = [
        t for t in list_components("tables", "COLUMNS") if t not in ("costs", "hyperparameters")
    ]
    return [table for table in tables if list_columns(table)[:3] == [*CLAIM_RUN]]


def check_claims(path: str | None, study: Study) -> dict[str, Claim]:
    """The claims of a file, or none for '' or None, if the study can answer them."""
    claims = read_claims(path) if path else {}
    for name, claim in claims.items():
        check_claim(f"claims.{name}", claim, study)
    return claims


def check_claim(place: str, claim: Claim, study: Study) -> None:
    """Table, columns, runs, values and the figure must be there."""
    if claim.table not in list_claimable_tables():
        raise OecalError(f"{place}.table: {explain_unknown(claim.table, list_claimable_tables())}")
    known = [*list_columns(claim.table), *study.metrics(claim.table)]
    if len(claim.terms) > 2:
        raise OecalError(
            f"{place}.value: found {claim.value!r}; expected a column, or two with ' - ' between"
        )
    for key, columns in {"value": claim.terms, "where": claim.where}.items():
        for column in columns:
            if column not in known:
                raise OecalError(f"{place}.{key}: {explain_unknown(column, known)}")
    for key, side in zip(("where", "minus"), claim.sides, strict=False):
        check_side(place, key, side, claim, study)
    seeds = [list_seeds(study, side) for side in claim.sides]
    if seeds[0] != seeds[-1]:
        raise OecalError(
            f"{place}.minus: has the seeds {seeds[-1]}, but where has {seeds[0]}; compare rows "
            "with the same seeds"
        )
    check_figure(place, claim, study)


def check_side(
    place: str, key: str, side: Mapping[str, list[Value]], claim: Claim, study: Study
) -> None:
    """The run and the values that `where` or `minus` (key) of a claim name are in the study."""
    in_dist, model, training = claim.run(side)
    experiments = study.config.experiments
    models = experiments[in_dist].models if in_dist in experiments else {}
    for column, name, known in (
        ("in_dist", in_dist, experiments),
        ("model", model, models),
        ("training", training, models.get(model, [])),
    ):
        if name not in known:
            raise OecalError(
                f"{place}.{key}.{column}: {explain_unknown(name, known)}; for a study without it, "
                "use another file of claims, or claims: ''"
            )
    values = list_values(study, in_dist, model, training)
    for column, wanted in side.items():
        for value in wanted if column in values else ():
            if value not in values[column]:
                at = key if column in claim.minus else "where"
                raise OecalError(f"{place}.{at}.{column}: {explain_unknown(value, values[column])}")


def list_seeds(study: Study, side: Mapping[str, list[Value]]) -> list[int]:
    """The seeds that can answer: those of the model, or these of them that are asked for.

    Only the first one has a score of all seeds.
    """
    once = any("seeds" in find_score(str(name)).prefixes for name in side.get("score", ()))
    seeds = study.seeds(str(side["model"][0]))[: 1 if once else None]
    return [seed for seed in seeds if seed in side.get("seed", seeds)]


def list_values(
    study: Study, in_dist: str, model: str, training: str
) -> dict[str, Collection[str]]:
    """What may stand in the columns of names, in any table, for a run."""
    experiment, kind = study.config.experiments[in_dist], study.kind(model)
    sets = [str(entry["name"]).removeprefix("path-") for entry in study.sets(in_dist, kind)]
    return {
        "score": study.scores(RunKey(in_dist, model, training, study.seeds(model)[0])),
        "ood": [name for key in OOD for name in experiment.sets_of(key)],
        "kind": ["id", *(key for key in OOD if experiment.sets_of(key)), "reject", "error"],
        "set": ["id", "pooled", *sets, f"{in_dist}/train", f"{in_dist}/val"],
        "post_hoc": ["none", *study.config.measures.post_hoc],
        "promise": list(study.config.promises),
        "outliers": ["none", "like_test", "auxiliary"],
    }


def check_figure(place: str, claim: Claim, study: Study) -> None:
    """The figure must show the model; it need not be one that the study draws by default."""
    figure = claim.figure
    if not figure:
        return
    if figure not in list_figures():
        raise OecalError(f"{place}.figure: {explain_unknown(figure, list_figures())}")
    model, shown = tuple(claim.run()[:2]), [run[:2] for run in list_fitting_runs(study, figure)]
    if model not in shown:
        others = ", ".join("/".join(other) for other in dict.fromkeys(shown))
        raise OecalError(
            f"{place}.figure: {figure} shows {others or 'no model of this study'}, not "
            f"{'/'.join(model)}; name another figure, or remove this key"
        )
