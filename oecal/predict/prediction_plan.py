"""What is predicted of a run beside the model's ordinary outputs, as a typed object. No torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Augmentation:
    """How test-time augmentation alters an image (oecal.training.augment)."""

    shift: int = 0
    """pixels, at most"""
    flip: bool = False


@dataclass(frozen=True)
class PredictionPlan:
    """What the scores of a run need, and of how many images (`Study.prediction`)."""

    costly: Sequence[str]
    """names of statistics of a density model, of methods of a classifier"""
    images: int
    """of each set, of which costly statistics are computed"""
    samples: int
    """images that a density model draws"""
    alike: Sequence[str]
    """OOD sets that are noise of the same recipe as one of the auxiliary sets"""
    train: int
    """ID training images that are predicted; 0: all"""
    passes: int
    """of dropout and of test-time augmentation"""
    augment: Augmentation

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> PredictionPlan:
        """Return the plan that a dict of plain values describes."""
        return cls(**{**plain, "augment": Augmentation(**plain["augment"])})
