"""The resumable state of a training, beside its outputs, written after each epoch and removed when the training is done."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import torch

from oecal.files import replacing


def save(path: Path, state: dict[str, Any]) -> None:
    with replacing(path) as temporary:
        torch.save(state, temporary)


def load(path: Path, fingerprint: str) -> dict[str, Any] | None:
    """The state, if there is one of this very training; None otherwise.

    `fingerprint` stands for configuration, data and code: a checkpoint of another training is not resumed. Nothing but tensors and
    plain values is unpickled (`weights_only`).
    """
    if not path.is_file():
        return None
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        if state["fingerprint"] == fingerprint:
            return state
        logging.warning("%s is of another configuration, data or code: starting anew", path)
    except Exception as error:  # whatever a damaged or hostile file raises: the training can always start anew
        logging.warning("%s cannot be read (%s): starting anew", path, type(error).__name__)
    return None
