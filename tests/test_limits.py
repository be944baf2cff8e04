"""The settings under `limits`, and mistakes in them."""

from pathlib import Path

import pytest
import yaml

from oecal.core.errors import OecalError
from oecal.study.limit_settings import check_limits, settings
from oecal.study.loading import load

DEMO = yaml.safe_load((Path(__file__).parent.parent / "config.yaml").read_text())


@pytest.fixture
def study():
    return load(DEMO)


def test_settings_and_their_controls(study):
    study.config["limits"] = {
        "start": {"scratch": "digits/wrn/oe_scratch", "tuned": "digits/wrn/oe_tune - oe_scratch"},
        "length": {"1 epoch": "digits_0to7/wrn_size/oe_short - baseline_short"},
    }
    check_limits(study)
    assert [list(row.values()) for row in settings(study)] == [
        ["start", "scratch", "digits", "wrn", "oe_scratch", "baseline"],
        ["start", "tuned", "digits", "wrn", "oe_tune", "oe_scratch"],
        ["length", "1 epoch", "digits_0to7", "wrn_size", "oe_short", "baseline_short"],
    ]


def test_what_is_not_run_is_left_out(study):
    study.config["limits"] = {
        "start": {"scratch": "digits/wrn/oe_scratch", "long": "digits/wrn/oe_tune - tune_control"},
        "objective": {
            "logit norm": "digits/wrn/logit_norm",
            "of photographs": "photos/wrn/oe_tune",
        },
    }
    check_limits(study)
    assert study.config["limits"] == {"start": {"scratch": "digits/wrn/oe_scratch"}}


@pytest.mark.parametrize(
    "entry, message",
    [
        ("digit/wrn/oe_tune", "limits.a.b: unknown name 'digit'; did you mean 'digits'?"),
        ("digits/wnr/oe_tune", "limits.a.b: unknown name 'wnr'; did you mean 'wrn'?"),
        ("photos/pixelcnn/oe_tune", "limits.a.b: unknown name 'pixelcnn'"),  # no classifier
        ("digits/wrn/oe_tun", "limits.a.b: unknown name 'oe_tun'; did you mean 'oe_tune'?"),
        (
            "digits/wrn/oe_tune - basline",
            "limits.a.b: unknown name 'basline'; did you mean 'baseline'?",
        ),
        (
            "digits/wrn/baseline",
            "limits.a.b: baseline is compared with itself; write another training after ' - '",
        ),
        ("digits/wrn/oe_tune - oe_tune", "limits.a.b: oe_tune is compared with itself"),
    ],
)
def test_mistake(study, entry, message):
    study.config["limits"] = {"a": {"b": entry}}
    with pytest.raises(OecalError) as caught:
        check_limits(study)
    assert str(caught.value).startswith(message)
