"""What decides the shapes of a model's weights: an architecture and its options."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from oecal.core.components import read_constant


@dataclass(frozen=True)
class ModelSpec:
    """An architecture, by the name of its file in this folder, and the options of that file."""

    architecture: str
    options: Mapping[str, object]

    @property
    def kind(self) -> str:
        """What the architecture's file says it is: `classifier` or `density`."""
        kind: str = read_constant("models", self.architecture, "KIND")
        return kind
