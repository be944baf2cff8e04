"""The resumable state of a training, written after each epoch and removed when it is done.

The SHA-256 of the rest stands first: a flipped bit in the weights is no error for torch.load, and a
training that went on from it would end in other weights without a word.
"""

from __future__ import annotations

import hashlib
import io
import logging
from pathlib import Path
from typing import Any, TypedDict

import torch
from torch import Tensor

from oecal.core.errors import summarize_error
from oecal.core.files import replacing


class State(TypedDict):
    """What a training needs to go on: all else follows from its seed and the epochs done."""

    fingerprint: str
    model: dict[str, Tensor]
    optimizer: dict[str, Any]  # as torch's optimisers give and take it
    history: list[dict[str, float]]


def save(path: Path, state: State) -> None:
    """Write tensors and plain values, whole or not at all, after the SHA-256 of their bytes."""
    content = io.BytesIO()
    torch.save(state, content)
    with replacing(path) as temporary:
        temporary.write_bytes(hashlib.sha256(content.getbuffer()).digest() + content.getbuffer())


def load(path: Path, fingerprint: str) -> State | None:
    """Return the state of this very training; None if there is no such file.

    `fingerprint` stands for configuration, data and code: a checkpoint of another training is not
    resumed. Nothing but tensors and plain values is unpickled (`weights_only`).
    """
    if not path.is_file():
        return None
    try:
        content = path.read_bytes()
        if hashlib.sha256(content[32:]).digest() != content[:32]:
            raise ValueError("checksum mismatch")
        buffer = io.BytesIO(content[32:])
        state: State = torch.load(buffer, map_location="cpu", weights_only=True)
        if state["fingerprint"] == fingerprint:
            return state
        logging.warning(
            "%s was written with another configuration, data or code; starting from scratch", path
        )
    # Whatever a damaged or hostile file raises: the training can always start anew.
    except Exception as error:
        what = f"{type(error).__name__}: {summarize_error(error, 100)}"
        logging.warning("%s cannot be read (%s); starting from scratch", path, what)
    return None
