"""Which tables a study has, and what each is computed from."""

import importlib
import inspect

import pytest

from oecal.core.codegraph import ROOT, find_script_code
from oecal.study.loading import read
from oecal.study.table_inputs import (
    find_table_path,
    list_on_demand_tables,
    list_table_modules,
    list_tables,
    list_tables_below,
    plan_table,
)


@pytest.fixture(scope="module")
def tiny():
    return read(ROOT / "studies/tiny.yaml")


@pytest.fixture(scope="module")
def demo():
    return read(ROOT / "config.yaml")


def test_a_table_is_a_file_that_computes_one():
    assert {"detection", "limits", "claims", "trainings"} <= set(list_table_modules())
    assert not {"rows", "__init__"} & set(list_table_modules())


def test_a_study_has_tables_of_what_it_has(tiny, demo):
    assert set(list_tables(demo)) - set(list_tables(tiny)) == {"claims"}
    assert "overlap" not in list_tables(demo)
    assert "conventions" not in list_tables(demo)


def test_times_lie_apart(demo):
    assert list_tables_below("costs") == ["costs"]
    assert find_table_path(demo, "costs") == "results/demo/costs/costs.csv"
    assert find_table_path(demo, "pit") == "results/demo/tables/pit.csv"


@pytest.mark.parametrize("table", [*list_tables_below("tables"), "costs"])
def test_a_plan_gives_all_that_a_table_asks_for(demo, table):
    plan = plan_table(demo, table)
    module = importlib.import_module(f"oecal.tables.{plan.module}")
    inspect.signature(module.compute_table).bind(**plan.inputs, **plan.arguments)
    assert find_script_code("table", plan.components)


def test_files_of_all_runs_in_one_order(demo):
    inputs = plan_table(demo, "promises").inputs
    assert list(inputs) == ["thresholds", "outputs", "scores"]
    assert [path.removeprefix("results/demo/thresholds/") for path in inputs["thresholds"]] == [
        f"{run.path}.json" for run in demo.runs()
    ]
    assert inputs["scores"][0] == f"results/demo/scores/{demo.runs()[0].path}.h5"


def test_a_table_reads_another_one(demo):
    assert plan_table(demo, "limits").inputs["trainings"] == "results/demo/tables/trainings.csv"
    claimed = plan_table(demo, "claims").inputs
    assert claimed["claims"] == str(ROOT / "studies/claims/demo.yaml")
    assert "results/demo/tables/detection.csv" in claimed["claimed_tables"]


def test_promises_are_those_of_the_configuration(demo):
    plan = plan_table(demo, "resampled")
    assert plan.arguments == {"promise_entries": demo.promises}
    assert list(plan.inputs) == ["outputs", "scores"]


def test_a_table_depends_on_the_measures_that_it_names(demo):
    assert plan_table(demo, "detection_intervals").arguments == {"resamples": 500}
    assert set(plan_table(demo, "drift").arguments) == {
        "drift_streams",
        "drift_length",
        "drift_onset",
    }


def test_code_named_in_the_configuration(demo):
    assert plan_table(demo, "calibration").components["calibrators"] == ["temperature"]
    code = find_script_code("table", plan_table(demo, "pit").components)
    assert "oecal/tables/pit.py" in code
    assert "oecal/tables/likelihood.py" not in code


@pytest.mark.parametrize("table", list_on_demand_tables())
def test_a_convention_is_the_module_conventions(demo, table):
    plan = plan_table(demo, table)
    assert plan.module == "conventions"
    assert f"detection_{plan.arguments['convention']}" == table
