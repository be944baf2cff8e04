"""The roles that evaluated sets have in an experiment: id, near, far, synthetic, shift, corruption, outlier (auxiliary, no test)."""

from __future__ import annotations

OOD = ("near", "far", "synthetic")


def spared(role: str, split: str) -> bool:
    """Whether nothing costly is computed of a set: of the training images, and where the question is whether an answer is right."""
    return role in ("shift", "corruption") or (role, split) == ("id", "train")
