"""Configurations that are read, filled in, laid over each other; and files that are none."""

import copy

import pytest

from oecal.core.codegraph import ROOT
from oecal.core.errors import OecalError
from oecal.study.loading import load, merge, read
from tests.study.mistakes import DEMO

STUDIES = [(path,) for path in [ROOT / "config.yaml", *sorted((ROOT / "studies").glob("*.yaml"))]]
SMALL = [
    (ROOT / "studies" / path.name, path) for path in sorted((ROOT / "studies/small").glob("*.yaml"))
]


@pytest.mark.parametrize(
    "paths", STUDIES + SMALL, ids=lambda paths: "+".join(p.stem for p in paths)
)
def test_every_study_in_the_repository_is_right(paths):
    study = read(*paths)
    assert study.runs()
    assert len(set(study.runs())) == len(study.runs())


def test_no_claims_on_the_command_line():
    """`snakemake --config claims=` gives None."""
    assert load({**DEMO, "claims": None}).claims == {}


@pytest.mark.parametrize(
    "text, message",
    [("a: [", "cannot be read"), ("- 1", "must be a YAML mapping"), (None, "cannot be read")],
)
def test_a_file_that_is_no_configuration(tmp_path, text, message):
    path = tmp_path / "x.yaml"
    if text:
        path.write_text(text)
    with pytest.raises(OecalError, match=message) as caught:
        read(path)
    assert "\n" not in str(caught.value)


def test_checking_changes_nothing_and_fills_in_defaults():
    content = copy.deepcopy(DEMO)
    study = load(content)
    assert content == DEMO
    assert study.config.compute.model_dump() == {
        "device": "auto",
        "precision": "auto",
        "threads": 1,
        "channels_last": True,
    }
    assert study.training("digits", "wrn", "oe_tune")["objective"]["options"] == {"weight": 0.5}
    assert study.config.models["wrn"].architecture == "wrn"


def test_a_figure_of_treatments_needs_one():
    digits = {**DEMO["experiments"]["digits"], "models": {"wrn": ["baseline"]}}
    with pytest.raises(
        OecalError,
        match=r"figures\[0\]: oe_gain compares trainings with the first one, but no model has two",
    ):
        load({**DEMO, "experiments": {"digits": digits}, "figures": ["oe_gain"]})


def test_one_configuration_over_another():
    both = merge(
        DEMO,
        {
            "study": "small",
            "datasets": {"faces": {"size": 12}},
            "experiments": {"digits": {"models": {"wrn": []}, "far": []}},
            "figures": [
                f
                for f in DEMO["figures"]
                if f not in ("shift_calibration", "decomposition", "attacks")
            ],
            "claims": "",
        },
    )
    assert both["datasets"]["faces"] == {"source": "faces", "size": 12}
    assert both["datasets"]["digits"] == DEMO["datasets"]["digits"]
    study = load(both)
    assert study.name == "small"
    assert "digits" not in {
        run.in_dist for run in study.runs()
    }  # its only model has no training left
    assert DEMO["experiments"]["digits"]["far"] == ["photos", "textures", "faces"]


def test_a_figure_that_needs_more_than_any_experiment_has():
    with pytest.raises(
        OecalError,
        match=r"figures\[\d+\]: decomposition needs ambiguous, but no experiment has any; add some",
    ):
        load(merge(DEMO, {"experiments": {"digits": {"ambiguous": []}}}))


def test_a_data_set_that_is_named_like_a_way_to_fade():
    content = copy.deepcopy(DEMO)
    content["datasets"]["blur"] = {"source": "faces"}
    content["experiments"]["digits"]["far"].append("blur")
    with pytest.raises(
        OecalError,
        match=r"experiments\.digits\.paths: blur is the name of both a way to fade an image and a",
    ):
        load(content)
    content["experiments"]["digits"]["paths"] = ["faces"]
    load(content)
