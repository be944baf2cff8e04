"""From a configuration entry, and from a weights file, to a model."""

from __future__ import annotations

import importlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from torch import Tensor, nn

from oecal.errors import OecalError
from oecal.options import made


def kind_of(model: Mapping[str, Any]) -> str:
    """classifier or density"""
    return importlib.import_module(f"oecal.models.{model['architecture']}").KIND


def build_model(model: Mapping[str, Any], shape: tuple[int, int, int], classes: int) -> nn.Module:
    """A fresh model for images of `shape` (C, H, W); `model`: architecture (a file name in this folder) and options (its own)."""
    architecture = importlib.import_module(f"oecal.models.{model['architecture']}")
    return architecture.build(made(architecture.Options, model["options"]), shape, classes)


def to_input(images: Tensor) -> Tensor:
    """What every model takes, in training and prediction: uint8 (N, C, H, W) as float32 in [0, 1]."""
    return images.float() / 255


def outliers_used(path: str | Path) -> list[str]:
    """The auxiliary sets that these weights were trained with: of the configured ones, those that could be had."""
    with safe_open(path, "pt") as file:
        return json.loads((file.metadata() or {}).get("oecal", "{}")).get("used", [])


def load_weights(model: nn.Module, path: str | Path) -> None:
    """Fills the model. Raises OecalError if the file is damaged or of another architecture."""
    try:
        model.load_state_dict(load_file(path))
    except (OSError, SafetensorError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise OecalError(f"{path}: does not hold the weights of this model ({reason}); delete it and run again") from None
