"""From a configuration entry, and from a weights file, to a model."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from oecal.core.component_imports import import_component
from oecal.core.components import make_options, read_constant
from oecal.core.errors import OecalError, summarize_error


def kind_of(model: Mapping[str, Any]) -> str:
    """What its architecture's file says it is: `classifier` or `density`."""
    kind: str = import_component("models", model["architecture"]).KIND
    return kind


def build_model(model: Mapping[str, Any], shape: tuple[int, int, int], classes: int) -> nn.Module:
    """A fresh model for images of `shape` (C, H, W).

    `model`: architecture (a file name in this folder) and options (its own).
    """
    architecture = import_component("models", model["architecture"])
    built: nn.Module = architecture.build(
        make_options(architecture.Options, model["options"]), shape, classes
    )
    return built


def make_network(params: Mapping[str, Any], shape: tuple[int, int, int], classes: int) -> nn.Module:
    """A fresh model of a training (model, objective): a classifier has an output for each class, and those that its objective adds."""
    return build_model(
        params["model"],
        shape,
        classes + read_constant("training", params["objective"]["name"], "EXTRA_CLASSES", 0),
    )


def to_input(images: Tensor) -> Tensor:
    """What every model takes, in training and prediction: uint8 (N, C, H, W) as float32 in [0, 1]."""
    return images.float() / 255


def hash_tensors(tensors: Mapping[str, Tensor], about: str) -> str:
    """SHA-256 of the names, types, shapes and values of tensors, and of a text."""
    sha = hashlib.sha256(about.encode())
    for name, tensor in sorted(tensors.items()):
        sha.update(f"{name} {tensor.dtype} {tuple(tensor.shape)} ".encode())
        sha.update(tensor.numpy().tobytes())
    return sha.hexdigest()


def save_weights(path: str | Path, tensors: Mapping[str, Tensor], about: Mapping[str, Any]) -> None:
    """Writes tensors and how they came about; with a checksum, since safetensors has none."""
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    checked = {**about, "sha256": hash_tensors(plain, json.dumps(about, sort_keys=True))}
    save_file(
        plain, path, {"oecal": json.dumps(checked, sort_keys=True)}
    )  # one key: safetensors writes several in any order


def load_tensors(path: str | Path) -> dict[str, Tensor]:
    """The tensors of a file. Raises OecalError if it is damaged."""
    with reading(path), safe_open(path, "pt") as file:
        about = json.loads((file.metadata() or {}).get("oecal", "{}"))
        tensors = load_file(path)
        if "sha256" in about and about.pop("sha256") != hash_tensors(
            tensors, json.dumps(about, sort_keys=True)
        ):
            raise RuntimeError("its checksum is another one")
        return tensors


def read_history(path: str | Path) -> dict[str, Any]:
    """How these weights came about, from their file: `used`, the auxiliary sets that could be had, and the number of `steps`."""
    with reading(path), safe_open(path, "pt") as file:
        about: dict[str, Any] = {"used": [], "steps": 0} | json.loads(
            (file.metadata() or {}).get("oecal", "{}")
        )
        return about


@contextmanager
def reading(path: str | Path) -> Iterator[None]:
    """Turns what a damaged or foreign weights file raises into an OecalError."""
    try:
        yield
    except (OSError, SafetensorError, RuntimeError, ValueError) as error:
        raise OecalError(
            f"{path}: does not hold the weights of this model ({summarize_error(error)}); delete it and run again"
        ) from None


def load_weights(model: nn.Module, path: str | Path) -> None:
    """Fills the model. Raises OecalError if the file is damaged or of another architecture."""
    with reading(path):
        model.load_state_dict(load_tensors(path))


def load_samples(model: nn.Module, path: str | Path) -> list[nn.Module]:
    """A copy of the model for each sample of weights in a file with the keys `sample{n}.{name}` (oecal.training.swag).

    Raises OecalError if the file is damaged or of another architecture.
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
