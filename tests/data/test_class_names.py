"""How a configuration names classes: by number, in full, or by a part of the name."""

import pytest

from oecal.core.errors import OecalError
from oecal.data.classes import find_class_numbers

CLASSES = ("n01234567 sandal, flip-flop", "n02234567 tabby", "n03234567 maple")


@pytest.mark.parametrize("name", [0, CLASSES[0], "sandal, flip-flop", "n01234567", "sandal"])
def test_names_of_a_class(name):
    assert find_class_numbers([name], CLASSES, "classes") == [0]
    assert find_class_numbers(["sandal"], ["sandal, flip-flop", "boot"], "classes") == [0]


@pytest.mark.parametrize(
    "wanted, classes, message",
    [
        (["tabbi"], CLASSES, "drop_classes: unknown name 'tabbi'"),
        (["x"], [str(n) for n in range(1000)], "drop_classes: the data set has no class 'x'"),
        (
            [7],
            CLASSES,
            "drop_classes: the data set has no class 7; its classes are numbered from 0 to 2",
        ),
        (["car"], ["blue car", "red car"], "drop_classes: unknown name 'car'"),
        (
            ["crane"],
            ["n01111111 crane, bird", "n02222222 crane"],
            "drop_classes: 'crane' could be n01111111 crane, bird or n02222222 crane",
        ),
        ([0], (), "drop_classes: the data set has no labels"),
    ],
)
def test_classes_that_cannot_be_chosen(wanted, classes, message):
    with pytest.raises(OecalError, match=message):
        find_class_numbers(wanted, classes, "drop_classes")


def test_a_full_name_goes_before_a_short_one():
    assert find_class_numbers(["crane"], ["n01111111 crane, bird", "crane"], "classes") == [1]
