"""How much memory a block of a prediction takes."""

from __future__ import annotations

import ctypes
import resource
import sys
from contextlib import suppress
from pathlib import Path

import torch

UNIT = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss, bytes


def reset_peak(device: torch.device) -> None:
    """Lets the next peak count from here: freed memory goes back to the system first (of a CPU, on Linux only)."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
        torch.cuda.reset_peak_memory_stats(device)
    else:
        with suppress(AttributeError, OSError):
            ctypes.CDLL(None).malloc_trim(0)
            Path("/proc/self/clear_refs").write_text("5")


def peak(device: torch.device) -> float:
    """The highest memory since the last reset, bytes: torch's own on CUDA, else the process's resident memory.

    On a CPU without a peak that can be reset (not Linux), only what exceeds the process's highest so far is seen.
    """
    if device.type == "cuda":
        torch.cuda.synchronize(device)
        return torch.cuda.max_memory_allocated(device)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * UNIT
