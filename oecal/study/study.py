"""A checked configuration and the questions that the workflow asks it: which runs, from what, on which sets."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any, NamedTuple

from oecal.core.components import read_constant
from oecal.core.roles import OOD, TEST_SETS
from oecal.scores.catalogue import BACKGROUND_LOGIT, GRADIENTS, find_score

# Keys of a training in the configuration that the training loop itself reads
# (oecal.training.loop.Recipe).
RECIPE = (
    "epochs",
    "epoch_images",
    "batch_size",
    "outlier_batch_size",
    "optimizer",
    "lr",
    "final_lr",
    "momentum",
    "weight_decay",
    "clip_norm",
    "shift",
    "flip",
    "processes",
)


class RunKey(NamedTuple):
    """One run of the study."""

    in_dist: str
    model: str
    training: str
    seed: int

    @property
    def path(self) -> str:
        """Where the run's files lie below each folder of results, as `{in_dist}/{model}/{training}/seed{seed}`."""
        return f"{self.in_dist}/{self.model}/{self.training}/seed{self.seed}"


class Study:
    """A checked configuration and the questions that the workflow asks it."""

    def __init__(self, config: dict[str, Any]) -> None:
        self.config = config
        self.name: str = config["study"]
        self.claims: dict[
            str, Mapping[str, Any]
        ] = {}  # those of its file (oecal.study.claim_entries)

    def runs(self, in_dist: str | None = None) -> list[RunKey]:
        """All runs of the study, or of one in-distribution set, in the configuration's order."""
        return [
            RunKey(name, model, training, seed)
            for name, experiment in self.config["experiments"].items()
            if in_dist in (None, name)
            for model, trainings in experiment["models"].items()
            for training in trainings
            for seed in self.seeds(model)
        ]

    def seeds(self, model: str) -> list[int]:
        """The seeds that a model is trained with: the study's, or the first ones of them."""
        seeds: list[int] = self.config["seeds"][: self.config["models"][model].get("seeds")]
        return seeds

    def model(self, name: str) -> dict[str, Any]:
        """architecture and options: what decides a model's weights' shapes."""
        model = self.config["models"][name]
        return {"architecture": model["architecture"], "options": model["options"]}

    def kind(self, model: str) -> str:
        """What a model's architecture is: `classifier` or `density`."""
        kind: str = read_constant("models", self.config["models"][model]["architecture"], "KIND")
        return kind

    def background(self, in_dist: str, model: str) -> str | None:
        """The training of this model that serves as the background of likelihood ratios, if there is one."""
        trainings = self.config["models"][model]["trainings"]
        chosen = self.config["experiments"][in_dist]["models"][model]
        return next((name for name in chosen if trainings[name]["objective"] == "background"), None)

    def compared(self, in_dist: str, model: str) -> list[str]:
        """The trainings of a model that are compared with each other: all but a background's."""
        return [
            t
            for t in self.config["experiments"][in_dist]["models"][model]
            if t != self.background(in_dist, model)
        ]

    def scores(self, run: RunKey) -> list[str]:
        """The scores of a run: those of its model, or these of them that the experiment asks for, but for what it cannot have.

        No ratio of the background to itself, those over all seeds only once, the probability of a
        background class only where there is one.
        """
        first, background = (
            run.seed == self.config["seeds"][0],
            run.training == self.background(run.in_dist, run.model),
        )
        lacks = ({"seeds"} if not first else set()) | ({"background"} if background else set())
        only = self.config["experiments"][run.in_dist]["scores"]
        found = {
            name: find_score(name)
            for name in self.config["models"][run.model]["scores"]
            if not only or name in only
        }
        extra = self.extra_classes(run.model, run.training)
        return [
            name
            for name, s in found.items()
            if not s.prefixes & lacks and (extra or BACKGROUND_LOGIT not in s.needs)
        ]

    def extra_classes(self, model: str, training: str) -> int:
        """Outputs that a training's network has beside the K classes."""
        extra: int = read_constant(
            "training",
            self.config["models"][model]["trainings"][training]["objective"],
            "EXTRA_CLASSES",
            0,
        )
        return extra

    def prediction(self, run: RunKey) -> dict[str, Any]:
        """What is predicted beside the model's ordinary outputs: costly statistics, samples.

        And of how many images.
        """
        entry = self.config["models"][run.model]
        recipe = entry["trainings"][run.training]
        found, density = (
            [find_score(name) for name in self.scores(run)],
            self.kind(run.model) == "density",
        )
        costly = sorted(
            {c for s in found for c in (s.needs & GRADIENTS.keys() if density else s.costly)}
        )
        drawn = (
            density
            and run.seed == self.config["seeds"][0]
            and run.training != self.background(run.in_dist, run.model)
        )
        return {
            "costly": costly,
            "images": entry["costly"] if costly else 0,
            "samples": 16 if drawn else 0,
            "alike": self.alike(run),
            "train": self.config["experiments"][run.in_dist][
                "predict_train" if density else "fit_train"
            ],
            "passes": entry["passes"] if {"dropout", "tta"} & set(costly) else 0,
            "augment": {"shift": max(1, recipe["shift"]), "flip": recipe["flip"]}
            if "tta" in costly
            else {},
        }

    def swag(self, run: RunKey) -> dict[str, Any] | None:
        """How weights are sampled after the training, if a score needs them."""
        needed = any("swag" in find_score(name).costly for name in self.scores(run))
        return self.config["models"][run.model]["swag"] if needed else None

    def alike(self, run: RunKey) -> list[str]:
        """The OOD sets of a run that are noise of the same kind as one of its auxiliary outliers: other images, the same distribution."""
        entries, experiment = self.config["datasets"], self.config["experiments"][run.in_dist]
        kinds = [
            entries[name]["options"]["kind"]
            for name in self.outliers(*run[:3])
            if entries[name]["source"] == "noise"
        ]
        tests = [
            name for key in OOD for name in experiment[key] if entries[name]["source"] == "noise"
        ]
        return [name for name in tests if entries[name]["options"]["kind"] in kinds]

    def metrics(self, table: str) -> list[str]:
        """The metrics of a table that have a file of their own (oecal.metrics.custom_metrics)."""
        return [
            name
            for name in self.config["measures"].get("metrics", [])
            if read_constant("metrics", name, "TABLE") == table
        ]

    def in_dists(self, *kinds: str) -> list[str]:
        """The in-distribution sets that have a model of one of these kinds."""
        experiments = self.config["experiments"]
        return [
            name
            for name, e in experiments.items()
            if any(self.kind(m) in kinds for m in e["models"])
        ]

    def training(self, in_dist: str, model: str, training: str) -> dict[str, Any]:
        """All that decides a training's result beside data and code, as one plain dict."""
        recipe = self.config["models"][model]["trainings"][training]
        return {
            "model": self.model(model),
            "objective": {"name": recipe["objective"], "options": recipe["options"]},
            "recipe": {key: recipe[key] for key in RECIPE},
            "init": recipe.get("init", ""),
            "outliers": self.outliers(in_dist, model, training),
            "train_images": recipe["train_images"],
            "label_noise": recipe["label_noise"],
            **self.fitting(in_dist),
        }

    def has(self, in_dist: str, key: str) -> bool:
        """Whether an experiment, or the study, names something under a key.

        Also if the key is empty.
        """
        return not key or bool(self.config["experiments"][in_dist].get(key) or self.config.get(key))

    def fitting(self, in_dist: str) -> dict[str, str]:
        """How images of another format are brought to that of an in-distribution set: interpolation and fit."""
        return {key: self.config["experiments"][in_dist][key] for key in ("interpolation", "fit")}

    def outliers(self, in_dist: str, model: str, training: str) -> list[str]:
        """The auxiliary sets of a training; none if its objective uses none."""
        recipe = self.config["models"][model]["trainings"][training]
        uses = read_constant("training", recipe["objective"], "OUTLIERS")
        return (
            (recipe["outliers"] or self.config["experiments"][in_dist]["outliers"]) if uses else []
        )

    def datasets(self) -> list[str]:
        """All data sets that the experiments name, in order of appearance."""
        found: dict[str, None] = {}
        for in_dist, experiment in self.config["experiments"].items():
            found |= dict.fromkeys(
                [
                    in_dist,
                    *experiment["outliers"],
                    *(name for key in TEST_SETS for name in experiment[key]),
                ]
            )
        for run in self.runs():
            found |= dict.fromkeys(self.outliers(run.in_dist, run.model, run.training))
        return list(found)

    def overlapping(self) -> list[dict[str, str]]:
        """Pairs of OOD sets of an experiment that differ only in what is left out because it overlaps: in_dist, whole, reduced."""
        drops, found = ("drop_classes", "drop_duplicates_of"), []
        for in_dist, experiment in self.config["experiments"].items():
            tests = [name for key in OOD for name in experiment[key]]
            for whole, reduced in itertools.permutations(tests, 2):
                a, b = self.config["datasets"][whole], self.config["datasets"][reduced]
                same = all(a[key] == b[key] for key in a if key not in (*drops, "duplicates"))
                if same and not any(a[key] for key in drops) and any(b[key] for key in drops):
                    found.append({"in_dist": in_dist, "whole": whole, "reduced": reduced})
        return found

    def sets(self, in_dist: str, kind: str) -> list[dict[str, Any]]:
        """Everything that a model of this kind predicts: name, split, role, dataset, of a corruption and of a path which.

        Shifts and corruptions ask whether an answer is right, ambiguous images which; a density
        model gives none, so it is spared them. Auxiliary outliers choose the hyperparameters of
        scores, which only classifiers have.
        """
        experiment = self.config["experiments"][in_dist]
        found: list[dict[str, Any]] = [
            {"name": in_dist, "split": split, "role": "id", "dataset": in_dist}
            for split in ("train", "val", "test")
        ]
        for name in experiment["outliers"] if kind == "classifier" else ():
            found.append({"name": name, "split": "train", "role": "outlier", "dataset": name})
        for key in TEST_SETS if kind == "classifier" else OOD:
            found += [
                {"name": name, "split": "test", "role": TEST_SETS[key], "dataset": name}
                for name in experiment[key]
            ]
        for corruption, severities in (
            experiment["corruptions"].items() if kind == "classifier" else ()
        ):
            found += [
                {
                    "name": f"{corruption}-{s}",
                    "split": "test",
                    "role": "corruption",
                    "dataset": in_dist,
                    "corruption": corruption,
                    "severity": s,
                    "images": experiment["corruption_images"],
                }
                for s in severities
            ]
        for attack, sizes in experiment["attacks"].items() if kind == "classifier" else ():
            for levels, name in itertools.product(
                sizes, [in_dist, *experiment["near"], *experiment["far"]]
            ):
                how = {
                    "attack": attack,
                    "levels": levels,
                    "up": name != in_dist,
                    "images": experiment["attack_images"],
                }
                found.append(
                    {
                        "name": f"{attack}-{levels}-{name}",
                        "split": "test",
                        "role": "attack",
                        "dataset": name,
                        **how,
                    }
                )
        for end in experiment["paths"]:
            path = {"end": end, "images": experiment["path_images"]}
            found.append(
                {"name": f"path-{end}", "split": "test", "role": "path", "dataset": in_dist, **path}
            )
        return found
