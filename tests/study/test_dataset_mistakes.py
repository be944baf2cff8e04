"""Mistakes under `datasets`: each ends in one line that says where and what was expected."""

import pytest

from tests.study.mistakes import assert_refused, drop, put

MISTAKES = [
    (
        put("datasets", "digits", "digits"),
        "datasets.digits: found 'digits'; expected a mapping",
    ),
    (put("datasets", "x", {"source": "nope"}), "datasets.x.source: unknown name 'nope'"),
    (
        put("datasets", "X y", {"source": "digits"}),
        "datasets: found 'X y'; expected lower-case letters",
    ),
    (
        put("datasets", "x", {"source": "dtd"}),
        "datasets.x: the images of dtd differ in size; add, for example, format: {size: 32",
    ),
    (
        put("datasets", "x", {"source": "mnsit"}),
        "datasets.x.source: unknown name 'mnsit'; did you mean 'mnist'?",
    ),
    (
        put("datasets", "x", {"source": "mnist", "splits": ["tset"]}),
        "datasets.x.splits: found ['tset']; expected a list of one of train, val, test",
    ),
    (
        put("datasets", "x", {"source": "mnist", "val_share": 0.7}),
        "datasets.x: val_share is 0.7; expected 0 to 0.5",
    ),
    (
        put("datasets", "x", {"source": "published", "name": "mnsit"}),
        "datasets.x.name: unknown name 'mnsit'",
    ),
    (
        put("datasets", "x", {"source": "mnist", "name": "kmnist"}),
        "datasets.x.name: the source mnist already names the data set",
    ),
    (
        put("datasets", "x", {"source": "mnist", "classes": ["elf"]}),
        "datasets.x.classes: unknown name 'elf'. Known names: 0 - zero",
    ),
    (
        put("datasets", "x", {"source": "mnist", "drop_classes": [10]}),
        "datasets.x.drop_classes: the data set has no class 10; its classes are numbered",
    ),
    (
        put(
            "datasets",
            "x",
            {"source": "dtd", "splits": ["test"], "at_most": {"train": 5}, "format": {"size": 32}},
        ),
        "x.at_most: the",
    ),
    (
        put("datasets", "x", {"source": "places365", "splits": ["train"]}),
        "datasets.x.splits: places365 has no split 'train'; use one or more of",
    ),
    (
        put("datasets", "x", {"source": "mnist", "val_share": 0, "splits": ["val"]}),
        "datasets.x.splits: mnist has no split 'val'; use one or more of",
    ),
    (
        put("datasets", "x", {"source": "mnist", "at_most": {"train": 5.0}}),
        "datasets.x.at_most.train: found 5.0; expected an integer",
    ),
    (
        put("datasets", "faces", {"source": "mnist", "splits": ["train"]}),
        "digits.far[2]: faces has no split 'test', which is needed here",
    ),
    (
        put("datasets", "letters_a_m", {"source": "mnist", "splits": ["test"]}),
        "outliers[0]: letters_a_m has no split 'train', which is",
    ),
    (
        put("datasets", "x", {"source": "folder"}),
        "datasets.x: the key 'path' is missing (text)",
    ),
    (
        put("datasets", "x", {"source": "mnist", "format": {"size": 2}}),
        "datasets.x.format.size: found 2; expected at least 4",
    ),
    (
        put("datasets", "x", {"source": "mnist", "format": {"size": 28, "fit": "cut"}}),
        "format.fit: found 'cut'; expected stretch",
    ),
    (
        put("datasets", "x", {"source": "mnist", "at_most": {"tests": 3}}),
        "datasets.x.at_most: unknown name 'tests'; did you mean 'test'?",
    ),
    (
        put("datasets", "x", {"source": "mnist", "missing": "ignore"}),
        "datasets.x.missing: found 'ignore'; expected stop or skip",
    ),
    (
        put("datasets", "x", {"source": "mnist", "classes": [1.5]}),
        "datasets.x.classes[0]: found 1.5; expected the number or name of a class",
    ),
    (
        put("datasets", "x", {"source": "mnist", "drop_overlap_with": ["cifar"]}),
        "datasets.x.drop_overlap_with: unknown name 'cifar'; did",
    ),
    (
        put("datasets", "x", {"source": "mnist", "drop_overlap_with": ["cifar10"]}),
        "the classes of mnist that overlap with cifar10 are not known",
    ),
    (
        put("datasets", "x", {"source": "mnist", "drop_duplicates_of": ["digit"]}),
        "datasets.x.drop_duplicates_of: unknown name 'digit'",
    ),
    (
        put("datasets", "photos", "drop_duplicates_of", ["photos_jigsaw"]),
        "drop_duplicates_of: found a cycle",
    ),
    (
        put("datasets", "digits", "missing", "skip"),
        "datasets.digits.missing: digits is an in-distribution set and cannot be skipped",
    ),
    (
        put("datasets", "gaussian", "kind", "gausian"),
        "datasets.gaussian.kind: found 'gausian'; expected one of gaussian, uniform",
    ),
    (
        drop("datasets", "gaussian", "of"),
        "datasets.gaussian: the key 'of' is missing (text)",
    ),
    (
        put("datasets", "gaussian", "of", "digit"),
        "datasets.gaussian.of: unknown name 'digit'; did you mean 'digits'?",
    ),
    (
        put("datasets", "gaussian", "of", "gaussian"),
        "datasets.gaussian.of: found a cycle, gaussian -> gaussian",
    ),
    (put("datasets", "photos", "size", 2), "datasets.photos: size is 2; expected 4 to 64"),
    (
        put("datasets", "photos", "sise", 28),
        "datasets.photos: unknown name 'sise'; did you mean 'size'?",
    ),
    (
        put("datasets", "photos", "channels", 2),
        "datasets.photos.channels: found 2; expected one of 1, 3",
    ),
    (
        put("datasets", "photos", "shrink", True),
        "datasets.photos.shrink: found True; expected a number",
    ),
]


@pytest.mark.parametrize("change, message", MISTAKES, ids=[message for _, message in MISTAKES])
def test_mistake(change, message):
    assert_refused(change, message)
