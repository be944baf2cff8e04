"""The entries under `models`: architectures, their trainings and their scores."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from annotated_types import Ge, Gt, Lt, MinLen
from pydantic import Field

from oecal.study.entry_types import AS_WRITTEN, ConfigEntry, Count, Name, Positive, Unique


class Swag(ConfigEntry):
    """Steps after the training at a constant learning rate, with snapshots of the weights."""

    steps: Annotated[int, Ge(2)] = 400
    """steps of SGD"""
    lr: Annotated[float, Gt(0), AS_WRITTEN] = 0.01
    """constant learning rate"""
    snapshots: Annotated[int, Ge(2)] = 20
    """snapshots of the weights"""
    samples: Annotated[int, Ge(2)] = 10
    """sampled models"""


class Training(ConfigEntry):
    """An objective and a recipe."""

    objective: str
    """a file name in oecal/training; the training's own name if left out"""
    options: dict[str, Any] = {}
    """options of the objective"""
    init: str | None = None
    """another training of this model, whose weights (same seed) are the start"""
    outliers: Unique[str] = []
    """the auxiliary outliers of this training, if they are not those of the experiment"""
    train_images: Count = 0
    """use no more than so many of the in-distribution training images, drawn at random with the
    seed; scores are fitted on all; 0: all"""
    label_noise: Annotated[float, Ge(0), Lt(1), AS_WRITTEN] = 0
    """share of the in-distribution training images of a classifier that get a wrong label, drawn
    with the seed"""
    epochs: Positive
    """passes over the in-distribution training images"""
    epoch_images: Count = 0
    """in-distribution images of one epoch, drawn anew for each, some again if there are fewer; 0:
    each once"""
    batch_size: Annotated[int, Ge(2)] = 128
    """in-distribution images per step"""
    outlier_batch_size: Positive = 256
    """outliers per step, if the objective uses them; the Outlier Exposure paper takes twice the
    batch size"""
    optimizer: Literal["sgd", "adamw"] = "sgd"
    """sgd (Nesterov momentum) or adamw"""
    lr: Annotated[float, Gt(0), AS_WRITTEN]
    """learning rate of the first step"""
    final_lr: Annotated[float, Ge(0), AS_WRITTEN] = 0.000001
    """learning rate at the end of the cosine"""
    momentum: Annotated[float, Ge(0), Lt(1), AS_WRITTEN] = 0.9
    """Nesterov momentum of sgd"""
    weight_decay: Annotated[float, Ge(0), AS_WRITTEN] = 0
    """L2 penalty (sgd) or decoupled decay (adamw)"""
    clip_norm: Annotated[float, Ge(0), AS_WRITTEN] = 0
    """largest gradient norm; 0 is no limit"""
    shift: Count = 0
    """augmentation by moving an image up to this many pixels"""
    flip: bool = False
    """augmentation by mirroring"""
    processes: Positive = 1
    """processes that share each batch, each on a GPU of its own (or all on the CPU); both batch
    sizes are multiples of it"""


class Model(ConfigEntry):
    """An architecture, its trainings and its scores."""

    architecture: str
    """a file name in oecal/models; the model's own name if left out"""
    options: dict[str, Any] = {}
    """options of the architecture"""
    scores: Annotated[Unique[str], MinLen(1)]
    """uncertainty scores to compute, functions in oecal/scores"""
    costly: Count = 500
    """images of each set, drawn at random, on which the costly scores are computed, those that need
    gradients of the model or many passes; 0: all"""
    seeds: Positive | None = None
    """how many of the study's seeds this model is trained with; all if left out"""
    figures: Unique[str] = []
    """only these of the study's figures are drawn of this model; all if left out"""
    passes: Annotated[int, Ge(2)] = 10
    """forward passes of Monte Carlo dropout and of test-time augmentation"""
    swag: Swag = Field(default_factory=Swag)
    """SWAG, if a score needs it: after the training, so many steps more at a constant learning
    rate, with snapshots at equal distances; then weights are sampled from the Gaussian fitted to
    these"""
    trainings: Annotated[dict[Name, Training], MinLen(1)]
    """the ways to train this model, by name"""
