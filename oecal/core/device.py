"""Where and how precisely to compute."""

from __future__ import annotations

import logging
import os
from contextlib import AbstractContextManager

import torch
from torch import nn

from oecal.core.errors import OecalError


def set_up_device(device: str, threads: int) -> torch.device:
    """The device of this job: `cpu`, `cuda`, `cuda:1`, or `auto` (cuda if there is one).

    Fixes CPU threads and algorithms.

    Results repeat bit by bit on one kind of device and number of threads. Raises OecalError for a
    CUDA device that is not there.
    """
    os.environ.setdefault(
        "CUBLAS_WORKSPACE_CONFIG", ":4096:8"
    )  # without it, cuBLAS may sum in another order each time
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(True, warn_only=True)
    chosen = torch.device(
        ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device
    )
    if chosen.type == "cuda":
        if not torch.cuda.is_available() or (chosen.index or 0) >= torch.cuda.device_count():
            raise OecalError(
                f"device: found '{device}', but this machine has {torch.cuda.device_count()} CUDA devices; write auto or cpu"
            )
        torch.backends.cudnn.benchmark = False
    return chosen


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
    """What a precision means here: `float32` or `bfloat16`.

    `auto` is bfloat16 where the hardware has it.
    """
    return precision if precision != "auto" else "bfloat16" if has_bfloat16(device) else "float32"


def autocast(device: torch.device, precision: str) -> AbstractContextManager[None]:
    """The context of a forward pass: `float32`, `bfloat16` (autocast) or `auto`."""
    return torch.autocast(
        device.type, torch.bfloat16, enabled=resolve_precision(device, precision) == "bfloat16"
    )


def move_model(model: nn.Module, device: torch.device, channels_last: bool) -> None:
    """Moves a model.

    With `channels_last`, its weights into the memory format that makes convolutions faster.
    """
    model.to(device)
    if channels_last:
        model.to(memory_format=torch.channels_last)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that the memory of the GPU, or the machine's, does not suffice."""
    return isinstance(
        error, MemoryError | torch.OutOfMemoryError
    ) or "can't allocate memory" in str(error)


def announce_device(device: torch.device, precision: str) -> None:
    """Logs device, arithmetic as it really is (bfloat16 only where there is any) and PyTorch's version: what a run's bits depend on."""
    name = (
        torch.cuda.get_device_name(device)
        if device.type == "cuda"
        else f"CPU, {torch.get_num_threads()} thread(s)"
    )
    low = resolve_precision(device, precision) == "bfloat16"
    logging.info(
        "on %s, %s, torch %s", name, "bfloat16 autocast" if low else "float32", torch.__version__
    )
