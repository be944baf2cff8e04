"""What each table of a study is computed from: its `compute_table` says so by its argument names.

A table is a file of oecal/tables with a function `compute_table`. Each of its arguments is

- files of all runs, in the same order: `outputs`, `scores`, `thresholds`, `prediction_costs`,
  `scoring_costs`;
- `data`, the image stores of the study, `claims`, its file of claims, `claimed_tables`, the tables
  that these are about;
- another table, by its name;
- or a value: a key of `measures` in the configuration, `promise_entries`, `pairs`, `settings`,
  `figure_variants`, `may_be_missing`, `convention`.

So a new table needs no new rule, and reruns only when what it names has changed.
"""

from __future__ import annotations

from typing import NamedTuple

from oecal.core.components import list_components, read_arguments
from oecal.metrics.peer_conventions import CONVENTIONS
from oecal.study import claim_entries, figure_inputs, limit_settings, run_inputs
from oecal.study.study import Study

RUN_FILES = {
    "outputs": "outputs/{run}.h5",
    "scores": "scores/{run}.h5",
    "thresholds": "thresholds/{run}.json",
    "prediction_costs": "costs/outputs/{run}.csv",
    "scoring_costs": "costs/scores/{run}.csv",
}
# detection_openood.csv is computed by conventions.py
CONVENTION_PREFIX = "detection_"
# costs.csv lies apart from the tables, which have the same bytes whenever they are built.
FOLDERS = {"costs": "costs"}


class TablePlan(NamedTuple):
    """What computes a table, and from what: files (inputs) and values (arguments).

    components: what it imports by name (folder of oecal -> names), for
    `oecal.core.codegraph.find_script_code`.
    """

    module: str
    components: dict[str, list[str]]
    inputs: dict[str, str | list[str]]
    arguments: dict[str, object]


def list_table_modules() -> list[str]:
    """The files of oecal/tables that compute a table."""
    return list_components("tables", "compute_table")


def list_on_demand_tables() -> list[str]:
    """The tables that are built only when asked for: detection in other conventions."""
    return [CONVENTION_PREFIX + convention for convention in CONVENTIONS]


def list_tables(study: Study) -> list[str]:
    """The tables that a study has.

    One without claims, limits or pairs of overlapping sets has no table of these.
    """
    absent = {
        name
        for name, content in (
            ("claims", study.claims),
            ("limits", limit_settings.list_settings(study)),
            ("overlap", study.overlapping()),
        )
        if not content
    }
    return [name for name in list_table_modules() if name not in {"conventions", *absent}]


def list_tables_below(folder: str) -> list[str]:
    """All tables that any study could have below results/<study>/<folder>."""
    known = [name for name in list_table_modules() if name != "conventions"]
    return [
        name for name in [*known, *list_on_demand_tables()] if FOLDERS.get(name, "tables") == folder
    ]


def find_table_path(study: Study, table: str) -> str:
    """Where a table lies, relative to the repository."""
    return f"results/{study.name}/{FOLDERS.get(table, 'tables')}/{table}.csv"


def find_module(table: str) -> str:
    """The module of oecal.tables that computes a table."""
    return "conventions" if table in list_on_demand_tables() else table


def list_run_files(study: Study, kind: str) -> list[str]:
    """The files of one kind of all runs, in the study's order."""
    return run_inputs.list_results(study, RUN_FILES[kind], study.runs())


def plan_table(study: Study, table: str) -> TablePlan:
    """Return what computes a table of a study, and from what.

    Raises KeyError for an argument of its `compute_table` that stands for nothing (see above).
    """
    module = find_module(table)
    inputs: dict[str, str | list[str]] = {}
    values: dict[str, object] = {}
    for argument in read_arguments("tables", module, "compute_table"):
        if argument in RUN_FILES:
            inputs[argument] = list_run_files(study, argument)
        elif argument == "data":
            inputs[argument] = run_inputs.list_stores(study.used_datasets())
        elif argument == "claims":
            path = claim_entries.find_claims_file(study.config.claims or "")
            inputs[argument] = str(path)
        elif argument == "claimed_tables":
            claimed = sorted({claim.table for claim in study.claims.values()})
            inputs[argument] = [find_table_path(study, name) for name in claimed]
        elif argument in list_table_modules():
            inputs[argument] = find_table_path(study, argument)
        else:
            values[argument] = find_value(study, table, argument)
    components = {"tables": [module], **find_named_components(study, table, values)}
    return TablePlan(module, components, inputs, values)


def find_value(study: Study, table: str, argument: str) -> object:
    """What an argument that is no file stands for."""
    if argument == "promise_entries":
        return study.promises
    if argument == "pairs":
        return study.overlapping()
    if argument == "settings":
        return [setting._asdict() for setting in limit_settings.list_settings(study)]
    if argument == "figure_variants":
        claimed = sorted({claim.figure for claim in study.claims.values()} - {""})
        return {name: list(figure_inputs.list_subjects(study, name).items()) for name in claimed}
    if argument == "may_be_missing":
        return study.may_be_missing
    if argument == "convention":
        return table.removeprefix(CONVENTION_PREFIX)
    if argument == "metrics":
        return list_metrics(study, table)
    return study.config.measures.model_dump()[argument]


def find_named_components(
    study: Study, table: str, values: dict[str, object]
) -> dict[str, list[str]]:
    """The components that a table imports by names of the configuration, by folder."""
    methods = study.config.measures.post_hoc if "post_hoc" in values else []
    metrics = list_metrics(study, table) if "metrics" in values else []
    return {"calibrators": methods, "metrics": metrics}


def list_metrics(study: Study, table: str) -> list[str]:
    """The metrics of a table that the configuration names; intervals has those of calibration."""
    return study.metrics("calibration" if table == "intervals" else table)
