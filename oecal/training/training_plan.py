"""What decides the result of a training beside data, code and seed, as typed objects.

The workflow hands it over as plain data (`Study.training`); `TrainingPlan.from_plain` is the first
thing that the training and the prediction do with it. Needs no torch.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from oecal.models.model_spec import ModelSpec
from oecal.training.recipe import Recipe


@dataclass(frozen=True)
class Objective:
    """An objective, by the name of its file in this folder, and the options of that file."""

    name: str
    options: Mapping[str, object]


@dataclass(frozen=True)
class TrainingPlan:
    """A checked training of the configuration."""

    model: ModelSpec
    objective: Objective
    recipe: Recipe
    init: str
    """the training whose weights this one starts from; empty: none"""
    outliers: Sequence[str]
    """names of the auxiliary sets"""
    train_images: int
    """at most so many training images, drawn with the seed; 0: all"""
    label_noise: float
    """share of the training labels that are wrong"""
    interpolation: str
    """how images of another size are brought to that of the in-distribution set"""
    fit: str
    """what happens where the ratio of the sides differs (oecal.data.preprocess.adapt)"""

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> TrainingPlan:
        """The plan from its dict; the inverse of `to_plain`."""
        nested = {
            "model": ModelSpec(**plain["model"]),
            "objective": Objective(**plain["objective"]),
            "recipe": Recipe(**plain["recipe"]),
        }
        return cls(**{**plain, **nested})

    def to_plain(self) -> dict[str, object]:
        """The plan as a dict that JSON can hold; it is stored with weights and outputs."""
        return dataclasses.asdict(self)
