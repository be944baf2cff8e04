"""How a training proceeds, whatever its objective: batches, optimiser, learning rate.

Needs no torch, so that the checked configuration can read the names of its fields.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Recipe:
    """How to train, whatever the objective.

    Keys and defaults are described in the configuration's schema.
    """

    epochs: int
    epoch_images: int
    batch_size: int
    outlier_batch_size: int
    optimizer: str
    lr: float
    final_lr: float
    momentum: float
    weight_decay: float
    clip_norm: float
    shift: int
    flip: bool
    processes: int = 1

    def images_of_an_epoch(self, n: int) -> int:
        """How many images one epoch takes, of n training images: `epoch_images`, or each once."""
        return self.epoch_images or n

    def steps_of_an_epoch(self, n: int) -> int:
        """Whole batches of an epoch of n training images."""
        return self.images_of_an_epoch(n) // self.batch_size
