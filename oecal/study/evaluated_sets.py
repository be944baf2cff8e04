"""What the models of an experiment predict: sets, splits and roles, as plain values."""

from __future__ import annotations

from oecal.core.roles import OOD, TEST_SETS
from oecal.study.experiment_entries import Experiment

PlainSet = dict[str, object]


def list_evaluated_sets(in_dist: str, experiment: Experiment, kind: str) -> list[PlainSet]:
    """Everything that a model of this kind predicts.

    Of each set name, split, role, dataset; of a corruption, an attack and a path which. Shifts and
    corruptions ask whether an answer is right, ambiguous images which; a density model gives none,
    so it is spared them. Auxiliary outliers choose the hyperparameters of scores, which only
    classifiers have.
    """
    entries = [name_set(in_dist, split, "id") for split in ("train", "val", "test")]
    classifier = kind == "classifier"
    if classifier:
        entries += [name_set(name, "train", "outlier") for name in experiment.outliers]
    for key in TEST_SETS if classifier else OOD:
        entries += [name_set(name, "test", TEST_SETS[key]) for name in experiment.sets_of(key)]
    if classifier:
        entries += [*list_corrupted(in_dist, experiment), *list_attacked(in_dist, experiment)]
    for end in experiment.paths:
        path = {"end": end, "images": experiment.path_images}
        entries.append(name_set(in_dist, "test", "path", f"path-{end}") | path)
    return entries


def name_set(dataset: str, split: str, role: str, name: str = "") -> PlainSet:
    """One set: a data set as it is, or under another name what is made of it."""
    return {"name": name or dataset, "split": split, "role": role, "dataset": dataset}


def list_corrupted(in_dist: str, experiment: Experiment) -> list[PlainSet]:
    """The in-distribution test images under each corruption and severity."""
    images = experiment.corruption_images
    return [
        name_set(in_dist, "test", "corruption", f"{corruption}-{severity}")
        | {"corruption": corruption, "severity": severity, "images": images}
        for corruption, severities in experiment.corruptions.items()
        for severity in severities
    ]


def list_attacked(in_dist: str, experiment: Experiment) -> list[PlainSet]:
    """The ID images, and near and far OOD images, under each attack and size.

    up: whether it makes the model more confident, as of OOD images.
    """
    images = experiment.attack_images
    return [
        name_set(name, "test", "attack", f"{attack}-{levels}-{name}")
        | {"attack": attack, "levels": levels, "up": name != in_dist, "images": images}
        for attack, sizes in experiment.attacks.items()
        for levels in sizes
        for name in [in_dist, *experiment.near, *experiment.far]
    ]
