"""The resumable state of a training, beside its outputs, written after each epoch and removed when the training is done.

The SHA-256 of the rest stands first: a flipped bit in the weights is no error for torch.load, and a
training that went on from it would end in other weights without a word.
"""

from __future__ import annotations

import hashlib
import io
import logging
from pathlib import Path
from typing import Any

import torch

from oecal.core.errors import summarize_error
from oecal.core.files import replacing


def save(path: Path, state: dict[str, Any]) -> None:
    """Writes tensors and plain values, whole or not at all, after the SHA-256 of their bytes."""
    content = io.BytesIO()
    torch.save(state, content)
    with replacing(path) as temporary:
        temporary.write_bytes(hashlib.sha256(content.getbuffer()).digest() + content.getbuffer())


def load(path: Path, fingerprint: str) -> dict[str, Any] | None:
    """The state, if there is one of this very training; None otherwise.

    `fingerprint` stands for configuration, data and code: a checkpoint of another training is not
    resumed. Nothing but tensors and plain values is unpickled (`weights_only`).
    """
    if not path.is_file():
        return None
    try:
        content = path.read_bytes()
        if hashlib.sha256(content[32:]).digest() != content[:32]:
            raise ValueError("its checksum is another one")
        state: dict[str, Any] = torch.load(
            io.BytesIO(content[32:]), map_location="cpu", weights_only=True
        )
        if state["fingerprint"] == fingerprint:
            return state
        logging.warning("%s is of another configuration, data or code: starting anew", path)
    except (
        Exception
    ) as error:  # whatever a damaged or hostile file raises: the training can always start anew
        logging.warning(
            "%s cannot be read (%s: %s): starting anew",
            path,
            type(error).__name__,
            summarize_error(error, 100),
        )
    return None
