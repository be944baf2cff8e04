"""The memory that a prediction takes, and what happens if there is not enough."""

from __future__ import annotations

import ctypes
import logging
import resource
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import torch
from torch import Tensor

from oecal.core.device import is_out_of_memory
from oecal.core.errors import OecalError

UNIT = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss, bytes


def reset_peak(device: torch.device) -> None:
    """Let the next peak count from here.

    Freed memory goes back to the system first; on a CPU, on Linux only.
    """
    if device.type == "cuda":
        torch.cuda.synchronize(device)
        torch.cuda.reset_peak_memory_stats(device)
    else:
        with suppress(AttributeError, OSError):
            ctypes.CDLL(None).malloc_trim(0)
            Path("/proc/self/clear_refs").write_text("5")


def read_peak(device: torch.device) -> float:
    """Return the highest memory since the last reset, bytes.

    On CUDA it is torch's own, else the resident memory of the process. Where that peak cannot be
    reset (not Linux), only what exceeds the process's highest so far is seen.
    """
    if device.type == "cuda":
        torch.cuda.synchronize(device)
        return torch.cuda.max_memory_allocated(device)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * UNIT


def run_in_parts(
    function: Callable[[Tensor], dict[str, Tensor]], batch: Tensor
) -> dict[str, Tensor]:
    """Return function(batch), (N, ...) values by name, from halves if memory runs out.

    Halves are halved again where they must. The values are the same but for the noise that a model
    may draw. Raises OecalError if one image is too much.
    """
    try:
        return function(batch)
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        if len(batch) == 1:
            raise OecalError(
                "out of memory with a single image; use a smaller model, "
                "or predict on the CPU with compute: {device: cpu}"
            ) from None
    # Outside of the `except`: the error holds the activations that have to go first.
    if batch.device.type == "cuda":
        torch.cuda.empty_cache()
    logging.warning(
        "out of memory with batches of %d images; going on with half as many", len(batch)
    )
    parts = [run_in_parts(function, half) for half in batch.tensor_split(2)]
    return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}
