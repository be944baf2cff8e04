"""Models from the configuration, and their weights from and into files."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from oecal.core.component_imports import import_component
from oecal.core.components import read_constant
from oecal.core.errors import OecalError, summarize_error
from oecal.core.options import make_options
from oecal.models.model_spec import ModelSpec


def build_model(model: ModelSpec, shape: tuple[int, int, int], classes: int) -> nn.Module:
    """Return a fresh model for images of `shape` (C, H, W)."""
    architecture = import_component("models", model.architecture)
    options = make_options(architecture.Options, model.options)
    built: nn.Module = architecture.build(options, shape, classes)
    return built


def make_network(
    model: ModelSpec, objective: str, shape: tuple[int, int, int], classes: int
) -> nn.Module:
    """Return a fresh model for a training with this objective.

    A classifier has one output for each class, plus those that the objective adds.
    """
    extra: int = read_constant("training", objective, "EXTRA_CLASSES", 0)
    return build_model(model, shape, classes + extra)


def to_input(images: Tensor) -> Tensor:
    """Convert uint8 images (N, C, H, W) to what every model takes: float32 in [0, 1]."""
    return images.float() / 255


def hash_tensors(tensors: Mapping[str, Tensor], about: str) -> str:
    """Return the SHA-256 of the names, types, shapes and values of tensors, and of a text."""
    sha = hashlib.sha256(about.encode())
    for name, tensor in sorted(tensors.items()):
        sha.update(f"{name} {tensor.dtype} {tuple(tensor.shape)} ".encode())
        sha.update(tensor.numpy().tobytes())
    return sha.hexdigest()


def save_weights(
    path: str | Path, tensors: Mapping[str, Tensor], about: Mapping[str, object]
) -> None:
    """Write tensors, how they came about, and a checksum, since safetensors has none."""
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    checked = {**about, "sha256": hash_tensors(plain, json.dumps(about, sort_keys=True))}
    # Under one key: safetensors writes several in any order.
    save_file(plain, path, {"oecal": json.dumps(checked, sort_keys=True)})


def load_tensors(path: str | Path) -> dict[str, Tensor]:
    """Return the tensors of a file. Raises OecalError if it is damaged."""
    with reading(path), safe_open(path, "pt") as file:
        about = json.loads((file.metadata() or {}).get("oecal", "{}"))
        tensors = load_file(path)
        if "sha256" in about:
            expected = about.pop("sha256")
            if hash_tensors(tensors, json.dumps(about, sort_keys=True)) != expected:
                raise RuntimeError("checksum mismatch")
        return tensors


class WeightsHistory(NamedTuple):
    """How trained weights came about: the auxiliary sets that could be had, and steps taken."""

    used: list[str]
    steps: int


def read_history(path: str | Path) -> WeightsHistory:
    """Return how the weights in a file came about; nothing is known of a foreign file."""
    with reading(path), safe_open(path, "pt") as file:
        about = json.loads((file.metadata() or {}).get("oecal", "{}"))
        return WeightsHistory(about.get("used", []), about.get("steps", 0))


@contextmanager
def reading(path: str | Path) -> Iterator[None]:
    """Turn what a damaged or foreign weights file raises into an OecalError."""
    try:
        yield
    except (OSError, SafetensorError, RuntimeError, ValueError) as error:
        raise OecalError(
            f"{path}: is damaged, or holds the weights of another model "
            f"({summarize_error(error)}); delete it and run again"
        ) from None


def load_weights(model: nn.Module, path: str | Path) -> None:
    """Fill the model. Raises OecalError if the file is damaged or of another architecture."""
    with reading(path):
        model.load_state_dict(load_tensors(path))


def load_samples(model: nn.Module, path: str | Path) -> list[nn.Module]:
    """Return a copy of the model for each sample of weights in a file (oecal.training.swag).

    The keys of the file are `sample{n}.{name}`. Raises OecalError if it is damaged or of another
    architecture.
    """
    with reading(path):
        states: dict[str, dict[str, Tensor]] = {}
        for key, values in load_tensors(path).items():
            sample, _, name = key.partition(".")
            states.setdefault(sample, {})[name] = values
        copies = [copy.deepcopy(model) for _ in states]
        for one, state in zip(copies, states.values(), strict=True):
            one.load_state_dict(state)
    return copies
