"""The settings under `limits`, and mistakes in them."""

import pytest
import yaml

from oecal.core.codegraph import ROOT
from oecal.core.errors import OecalError
from oecal.study.limit_settings import list_settings
from oecal.study.loading import load

DEMO = yaml.safe_load((ROOT / "config.yaml").read_text())


def load_with(limits):
    return load({**DEMO, "limits": limits, "figures": [], "claims": ""})


def test_settings_and_their_controls():
    limits = {
        "start": {"scratch": "digits/wrn/oe_scratch", "tuned": "digits/wrn/oe_tune - oe_scratch"},
        "length": {"1 epoch": "digits_0to7/wrn_size/oe_short - baseline_short"},
    }
    assert [list(setting) for setting in list_settings(load_with(limits))] == [
        ["start", "scratch", "digits", "wrn", "oe_scratch", "baseline"],
        ["start", "tuned", "digits", "wrn", "oe_tune", "oe_scratch"],
        ["length", "1 epoch", "digits_0to7", "wrn_size", "oe_short", "baseline_short"],
    ]


def test_what_is_not_run_is_left_out():
    limits = {
        "start": {"scratch": "digits/wrn/oe_scratch", "long": "digits/wrn/oe_tune - tune_control"},
        "objective": {
            "logit norm": "digits/wrn/logit_norm",
            "of photographs": "photos/wrn/oe_tune",
        },
    }
    assert load_with(limits).config.limits == {"start": {"scratch": "digits/wrn/oe_scratch"}}


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
            "limits.a.b: baseline is compared with itself; name another training after ' - '",
        ),
        ("digits/wrn/oe_tune - oe_tune", "limits.a.b: oe_tune is compared with itself"),
    ],
)
def test_mistake(entry, message):
    with pytest.raises(OecalError) as caught:
        load_with({"a": {"b": entry}})
    assert str(caught.value).startswith(message)
