"""A checked study, and what the workflow asks it: which runs, from what, on which sets."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping
from typing import NamedTuple, TypedDict

from oecal.core.components import read_constant
from oecal.core.options import options_to_plain, read_option
from oecal.core.roles import OOD, TEST_SETS
from oecal.scores.catalogue import BACKGROUND_LOGIT, GRADIENTS, find_score
from oecal.study.claim_entries import Claim
from oecal.study.configuration import Configuration
from oecal.study.dataset_entries import Dataset
from oecal.study.evaluated_sets import PlainSet, list_evaluated_sets
from oecal.training.recipe import Recipe

# Keys of a training in the configuration that the training loop itself reads.
RECIPE = tuple(field.name for field in dataclasses.fields(Recipe))


class RunKey(NamedTuple):
    """One run of the study."""

    in_dist: str
    model: str
    training: str
    seed: int

    @property
    def path(self) -> str:
        """Where the run's files lie below each folder of results.

        `{in_dist}/{model}/{training}/seed{seed}`.
        """
        return f"{self.in_dist}/{self.model}/{self.training}/seed{self.seed}"


class Overlap(TypedDict):
    """Two OOD sets of which one is the other without what overlaps with something."""

    in_dist: str
    whole: str
    reduced: str


class Study:
    """A checked configuration and the questions that the workflow asks it."""

    def __init__(self, config: Configuration, datasets: Mapping[str, Dataset]) -> None:
        self.config = config
        self.datasets = datasets
        self.name = config.study
        self.claims: dict[str, Claim] = {}  # those of its file

    @property
    def may_be_missing(self) -> list[str]:
        """The data sets that the study can do without."""
        return [name for name, entry in self.config.datasets.items() if entry.missing == "skip"]

    @property
    def promises(self) -> dict[str, dict[str, float]]:
        """What thresholds are to keep, as plain values."""
        return {
            name: promise.model_dump(exclude_none=True)
            for name, promise in self.config.promises.items()
        }

    def runs(self, in_dist: str | None = None) -> list[RunKey]:
        """All runs of the study, or of one in-distribution set, in the configuration's order."""
        return [
            RunKey(name, model, training, seed)
            for name, experiment in self.config.experiments.items()
            if in_dist in (None, name)
            for model, trainings in experiment.models.items()
            for training in trainings
            for seed in self.seeds(model)
        ]

    def seeds(self, model: str) -> list[int]:
        """The seeds that a model is trained with: the study's, or the first ones of them."""
        return self.config.seeds[: self.config.models[model].seeds]

    def model(self, name: str) -> dict[str, object]:
        """What decides the shapes of a model's weights, as plain values: architecture, options."""
        model = self.config.models[name]
        return {"architecture": model.architecture, "options": options_to_plain(model.options)}

    def kind(self, model: str) -> str:
        """What a model's architecture is: `classifier` or `density`."""
        kind: str = read_constant("models", self.config.models[model].architecture, "KIND")
        return kind

    def objective(self, model: str, training: str) -> str:
        """What a training minimises, a file of oecal/training."""
        return self.config.models[model].trainings[training].objective

    def background(self, in_dist: str, model: str) -> str | None:
        """The training of this model that serves as the background of likelihood ratios, if any."""
        trainings = self.config.experiments[in_dist].models[model]
        return next((t for t in trainings if self.objective(model, t) == "background"), None)

    def compared(self, in_dist: str, model: str) -> list[str]:
        """The trainings of a model that are compared with each other: all but a background's."""
        trainings = self.config.experiments[in_dist].models[model]
        return [t for t in trainings if t != self.background(in_dist, model)]

    def scores(self, run: RunKey) -> list[str]:
        """The scores of a run: its model's, those of them that the experiment asks for.

        Some it cannot have: a background has no ratio to itself, a score over all seeds belongs to
        the first one, and only some networks have a background class.
        """
        lacks = set() if run.seed == self.config.seeds[0] else {"seeds"}
        if run.training == self.background(run.in_dist, run.model):
            lacks.add("background")
        only = self.config.experiments[run.in_dist].scores
        asked = [n for n in self.config.models[run.model].scores if not only or n in only]
        objective = self.objective(run.model, run.training)
        extra = read_constant("training", objective, "EXTRA_CLASSES", 0)
        return [
            name
            for name in asked
            if not find_score(name).prefixes & lacks
            and (extra or BACKGROUND_LOGIT not in find_score(name).needs)
        ]

    def prediction(self, run: RunKey) -> dict[str, object]:
        """What is predicted beside the model's ordinary outputs, and of how many images.

        costly: names of statistics; alike: OOD sets drawn like an auxiliary one; train: training
        images; augment: of test-time augmentation.
        """
        entry, experiment = self.config.models[run.model], self.config.experiments[run.in_dist]
        training = entry.trainings[run.training]
        needed, density = (
            [find_score(s) for s in self.scores(run)],
            self.kind(run.model) == "density",
        )
        costly = {c for s in needed for c in (s.needs & GRADIENTS.keys() if density else s.costly)}
        background = run.training == self.background(run.in_dist, run.model)
        samples = density and run.seed == self.config.seeds[0] and not background
        augment = {"shift": max(1, training.shift), "flip": training.flip}
        return {
            "costly": sorted(costly),
            "images": entry.costly if costly else 0,
            "samples": 16 if samples else 0,
            "alike": self.alike(run),
            "train": experiment.predict_train if density else experiment.fit_train,
            "passes": entry.passes if {"dropout", "tta"} & costly else 0,
            "augment": augment if "tta" in costly else {},
        }

    def swag(self, run: RunKey) -> dict[str, int | float] | None:
        """How weights are sampled after the training, if a score needs them."""
        needed = any("swag" in find_score(name).costly for name in self.scores(run))
        return self.config.models[run.model].swag.model_dump() if needed else None

    def alike(self, run: RunKey) -> list[str]:
        """The OOD sets of a run that are noise of the same kind as one of its auxiliary outliers.

        Other images, drawn from the same distribution.
        """
        experiment = self.config.experiments[run.in_dist]
        tests = [name for key in OOD for name in experiment.sets_of(key)]
        kinds = {self.kind_of_noise(name) for name in self.outliers(*run[:3])} - {None}
        return [name for name in tests if self.kind_of_noise(name) in kinds]

    def kind_of_noise(self, dataset: str) -> str | None:
        """The kind of a data set that is noise; None of another."""
        entry = self.datasets[dataset]
        return read_option(entry.options, "kind") if entry.source == "noise" else None

    def metrics(self, table: str) -> list[str]:
        """The metrics of a table that have a file of their own (oecal.metrics.custom_metrics)."""
        asked = self.config.measures.metrics
        return [name for name in asked if read_constant("metrics", name, "TABLE") == table]

    def in_dists(self, *kinds: str) -> list[str]:
        """The in-distribution sets that have a model of one of these kinds."""
        experiments = self.config.experiments
        return [
            name for name, e in experiments.items() if any(self.kind(m) in kinds for m in e.models)
        ]

    def training(self, in_dist: str, model: str, training: str) -> dict[str, object]:
        """All that decides a training's result beside data and code, as plain values."""
        entry = self.config.models[model].trainings[training]
        return {
            "model": self.model(model),
            "objective": {"name": entry.objective, "options": options_to_plain(entry.options)},
            "recipe": {key: getattr(entry, key) for key in RECIPE},
            "init": entry.init or "",
            "outliers": self.outliers(in_dist, model, training),
            "train_images": entry.train_images,
            "label_noise": entry.label_noise,
            **self.fitting(in_dist),
        }

    def has(self, in_dist: str, key: str) -> bool:
        """Whether the study names something under a key of its own, or else the experiment does.

        True for the empty key.
        """
        if key in type(self.config).model_fields:
            return bool(getattr(self.config, key))
        return not key or bool(getattr(self.config.experiments[in_dist], key))

    def fitting(self, in_dist: str) -> dict[str, str]:
        """How images of another format are brought to that of an in-distribution set."""
        experiment = self.config.experiments[in_dist]
        return {"interpolation": experiment.interpolation, "fit": experiment.fit}

    def outliers(self, in_dist: str, model: str, training: str) -> list[str]:
        """The auxiliary sets of a training; none if its objective uses none."""
        entry = self.config.models[model].trainings[training]
        if not read_constant("training", entry.objective, "OUTLIERS"):
            return []
        return entry.outliers or self.config.experiments[in_dist].outliers

    def used_datasets(self) -> list[str]:
        """All data sets that the experiments name, in order of appearance."""
        used: dict[str, None] = {}
        for in_dist, experiment in self.config.experiments.items():
            tests = [name for key in TEST_SETS for name in experiment.sets_of(key)]
            used |= dict.fromkeys([in_dist, *experiment.outliers, *tests])
        for run in self.runs():
            used |= dict.fromkeys(self.outliers(run.in_dist, run.model, run.training))
        return list(used)

    def overlapping(self) -> list[Overlap]:
        """Pairs of OOD sets of an experiment that differ only in what is left out as overlap."""
        pairs: list[Overlap] = []
        for in_dist, experiment in self.config.experiments.items():
            tests = [name for key in OOD for name in experiment.sets_of(key)]
            for whole, reduced in itertools.permutations(tests, 2):
                if self.datasets[reduced].is_reduced_from(self.datasets[whole]):
                    pairs.append({"in_dist": in_dist, "whole": whole, "reduced": reduced})
        return pairs

    def sets(self, in_dist: str, kind: str) -> list[PlainSet]:
        """Everything that a model of this kind predicts (oecal.study.evaluated_sets)."""
        return list_evaluated_sets(in_dist, self.config.experiments[in_dist], kind)
