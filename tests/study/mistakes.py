"""What the tests of mistakes share: changes of the default study, refused in one line."""

import copy

import pytest
import yaml

from oecal.core.codegraph import ROOT
from oecal.core.errors import OecalError
from oecal.study.loading import load

DEMO = yaml.safe_load((ROOT / "config.yaml").read_text())
WRN, TRAININGS, DIGITS = (
    ("models", "wrn"),
    ("models", "wrn", "trainings"),
    ("experiments", "digits"),
)


def put(*path_and_value):
    *path, key, value = path_and_value

    def change(content):
        for step in path:
            content = content[step]
        content[key] = value

    return change


def drop(*path):
    def change(content):
        for step in path[:-1]:
            content = content[step]
        del content[path[-1]]

    return change


def assert_refused(change, message):
    """The default study with this change is refused in one line that holds the message."""
    content = copy.deepcopy(DEMO)
    change(content)
    with pytest.raises(OecalError) as caught:
        load(content)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
