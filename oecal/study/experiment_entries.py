"""The entries under `experiments`: an in-distribution set and what its models are tried on."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Ge, Le, MinLen

from oecal.study.entry_types import (
    AtLeastOne,
    ConfigEntry,
    Count,
    Fit,
    Interpolation,
    Positive,
    Says,
    Unique,
)

Severity = Annotated[int, Ge(1), Le(5), Says("severity")]
Levels = Annotated[int, Ge(1), Le(64), Says("levels")]


class Experiment(ConfigEntry):
    """One in-distribution set."""

    models: Annotated[dict[str, Annotated[Unique[str], Says("names of trainings")]], MinLen(1)]
    """which trainings of which models to run: {model: [training, ...]}; [] leaves a model out"""
    scores: Unique[str] = []
    """only these of the scores of its models; all if left out"""
    outliers: Unique[str] = []
    """data sets whose train split serves as auxiliary outliers"""
    near: Unique[str] = []
    """OOD test sets that look like the in-distribution set"""
    far: Unique[str] = []
    """OOD test sets of other real images"""
    synthetic: Unique[str] = []
    """OOD test sets of noise or altered images"""
    shifts: Unique[str] = []
    """labelled test sets of the same classes from elsewhere; they count as in-distribution, not as
    OOD"""
    ambiguous: Unique[str] = []
    """test sets of images that show two classes at once: a model may be unsure of them, but they
    are made of what it knows; neither in-distribution nor OOD"""
    corruptions: dict[str, Annotated[AtLeastOne[Severity], Says("severities")]] = {}
    """corruptions of the in-distribution test images: {name: [severity, ...]}"""
    corruption_images: Count = 0
    """in-distribution test images that are corrupted, drawn at random, the same ones by each
    corruption; 0: all"""
    attacks: dict[str, Annotated[AtLeastOne[Levels], Says("levels, of 255")]] = {}
    """in-distribution test images moved to where a classifier is less sure, and near and far OOD
    images to where it is surer, each level by at most so many of 255: {fgsm: [4], pgd: [2, 4],
    random: [4]}, the last one for comparison"""
    attack_images: Count = 500
    """images of each set that are attacked, drawn at random; 0: all"""
    paths: Unique[str] = []
    """ways out of the in-distribution set along which confidence and likelihood are followed: OOD
    sets of this experiment (pixel by pixel to one of their images), blur, contrast"""
    path_images: Positive = 50
    """in-distribution images that start a path"""
    predict_train: Count = 0
    """in-distribution training images that a density model predicts, drawn at random; 0: all"""
    fit_train: Count = 0
    """in-distribution training images that a classifier predicts, drawn at random, and its scores
    are fitted to (means, covariances, neighbours); 0: all"""
    interpolation: Interpolation = "bilinear"
    """filter with which other sets are resized to this set's format: Pillow's filters, antialiased
    where they shrink, but for nearest"""
    fit: Fit = "stretch"
    """how images of another shape than this set's are fitted: stretch: both sides to the target;
    crop: the shorter side fits, the centre stays; pad: the longer side fits, black around"""

    def sets_of(self, key: str) -> list[str]:
        """The data sets under one of the keys that list test sets (oecal.core.roles)."""
        listed: list[str] = getattr(self, key)
        return listed
