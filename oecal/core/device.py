"""Where and how precisely to compute."""

from __future__ import annotations

import logging
import os
from contextlib import AbstractContextManager
from dataclasses import dataclass

import torch
from torch import nn

from oecal.core.errors import OecalError


@dataclass(frozen=True)
class Compute:
    """Where and how a job computes: `compute` in the configuration. No part of what is computed."""

    device: str = "auto"
    """`cpu`, `cuda`, `cuda:1`, or `auto`: cuda if there is one"""
    precision: str = "auto"
    """`float32`, `bfloat16`, or `auto`: bfloat16 where the hardware has it"""
    threads: int = 1
    """CPU threads of each process"""
    channels_last: bool = True
    """whether images and weights lie channels last in memory, which makes convolutions faster"""


def set_up_device(device: str, threads: int) -> torch.device:
    """Return the device of this job, and fix the number of CPU threads and the algorithms.

    device, threads: as of `Compute`. Results repeat bit by bit on one kind of device and number of
    threads. Raises OecalError for a CUDA device that is not there.
    """
    # Without it, cuBLAS may sum in another order each time.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(True, warn_only=True)
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    selected = torch.device(device)
    if selected.type == "cuda":
        if not torch.cuda.is_available() or (selected.index or 0) >= torch.cuda.device_count():
            raise OecalError(
                f"device: found '{device}', but this machine has {torch.cuda.device_count()} CUDA "
                "devices; use auto or cpu"
            )
        torch.backends.cudnn.benchmark = False
    return selected


def has_bfloat16(device: torch.device) -> bool:
    """Whether the hardware multiplies bfloat16 itself.

    Where it is emulated, it is ten times slower than float32.
    """
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    try:
        with open("/proc/cpuinfo") as file:
            flags = next((line for line in file if line.startswith("flags")), "").split()
    except OSError:
        return False
    return "avx512_bf16" in flags or "amx_bf16" in flags


def resolve_precision(device: torch.device, precision: str) -> str:
    """Return what a precision means on this device, `float32` or `bfloat16`."""
    if precision != "auto":
        return precision
    return "bfloat16" if has_bfloat16(device) else "float32"


def autocast(device: torch.device, precision: str) -> AbstractContextManager[None]:
    """The context of a forward pass with a precision; bfloat16 is PyTorch's autocast."""
    low = resolve_precision(device, precision) == "bfloat16"
    return torch.autocast(device.type, torch.bfloat16, enabled=low)


def move_model(model: nn.Module, device: torch.device, channels_last: bool) -> None:
    """Move a model to a device, with `channels_last` into that memory format."""
    model.to(device)
    if channels_last:
        model.to(memory_format=torch.channels_last)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that the GPU's memory, or the machine's, is used up."""
    return isinstance(
        error, MemoryError | torch.OutOfMemoryError
    ) or "can't allocate memory" in str(error)


def announce_device(device: torch.device, precision: str) -> None:
    """Log what a run's bits depend on: device, arithmetic as it really is, PyTorch's version."""
    if device.type == "cuda":
        name = torch.cuda.get_device_name(device)
    else:
        name = f"CPU, {torch.get_num_threads()} thread(s)"
    low = resolve_precision(device, precision) == "bfloat16"
    arithmetic = "bfloat16 autocast" if low else "float32"
    logging.info("on %s, %s, torch %s", name, arithmetic, torch.__version__)
