"""A training shared by processes of one machine, each with its own GPU, or all on the CPU.

The loss curve is that of one process: each draws the same batches from the same seed and takes its
share of each; gradients are averaged by DistributedDataParallel, batch normalisation sees the whole
batch. Without a group of processes (`run_together`) every function here leaves things as they are.
Objectives that compare images of a batch with each other (mixup, the margin over pairs) compare
those of a share.
"""

from __future__ import annotations

import logging
import os
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.autograd.function import FunctionCtx
from torch.multiprocessing.spawn import ProcessRaisedException, spawn

from oecal.core.device import set_up_device
from oecal.core.errors import OecalError

# One process may wait so long for another: a slow disk, a long validation.
PATIENCE = timedelta(minutes=30)


def count_processes() -> int:
    """Return how many processes share this training; 1 if none does."""
    return dist.get_world_size() if dist.is_initialized() else 1


def is_first() -> bool:
    """Whether this process is the one that writes files."""
    return not dist.is_initialized() or dist.get_rank() == 0


def take_share(images: Tensor) -> Tensor:
    """Return this process's share of a batch: of n processes, every n-th image."""
    return images[dist.get_rank() :: count_processes()] if dist.is_initialized() else images


def average(values: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the mean of each value over all processes."""
    if count_processes() > 1:
        for value in values.values():
            dist.all_reduce(value)
            value /= count_processes()
    return dict(values)


def share_gradients(model: nn.Module, start: Tensor) -> nn.Module:
    """Return the model so that its gradients are means over all processes.

    Its parameters are the same ones, trained in place. start: a batch, the same one in each
    process, for a model that begins with the statistics of its first batch.
    """
    if count_processes() == 1:
        return model
    if not getattr(model, "initialised", True):
        with torch.no_grad():
            model.train()(start)
    for module in list(model.modules()):
        for name, child in module.named_children():
            if isinstance(child, nn.BatchNorm2d):
                setattr(module, name, SharedBatchNorm.replace(child))
    return nn.parallel.DistributedDataParallel(model)


class Sum(torch.autograd.Function):
    """The sum of a tensor over all processes; its gradient is the sum of theirs."""

    @staticmethod
    def forward(context: FunctionCtx, x: Tensor) -> Tensor:
        """Return the sum over all processes; x itself stays as it is."""
        x = x.clone()
        dist.all_reduce(x)
        return x

    @staticmethod
    def backward(context: FunctionCtx, gradient: Tensor) -> Tensor:
        """Sum the gradients of all processes: each one's x is in the result of every one."""
        return Sum.forward(context, gradient)


class SharedBatchNorm(nn.BatchNorm2d):
    """Batch normalisation over the images of all processes, from sums that are added up.

    torch.nn.SyncBatchNorm does the same on GPUs, but refuses CPUs.
    """

    @classmethod
    def replace(cls, norm: nn.BatchNorm2d) -> SharedBatchNorm:
        """Return such a layer with the very parameters and statistics of another."""
        new = cls(norm.num_features, norm.eps, norm.momentum, norm.affine, norm.track_running_stats)
        for name, parameter in norm.named_parameters(recurse=False):
            setattr(new, name, parameter)
        for name, buffer in norm.named_buffers(recurse=False):
            setattr(new, name, buffer)
        return new.train(norm.training)

    def forward(self, x: Tensor) -> Tensor:
        """Normalise x (N, C, H, W) of this process by the mean and variance over all of them.

        In evaluation, by the running ones.
        """
        if not self.training:
            return super().forward(x)
        with torch.autocast(x.device.type, enabled=False):
            h = x.float()
            sums: Tensor = Sum.apply(torch.cat([h.sum(dim=(0, 2, 3)), (h * h).sum(dim=(0, 2, 3))]))
            count = count_processes() * h.numel() // h.shape[1]
            mean, square = (sums / count).chunk(2)
            variance = square - mean * mean
            if (
                self.running_mean is not None
                and self.running_var is not None
                and self.num_batches_tracked is not None
            ):
                self.num_batches_tracked += 1
                weight = (
                    1 / self.num_batches_tracked.item() if self.momentum is None else self.momentum
                )
                self.running_mean.lerp_(mean.detach(), weight)
                self.running_var.lerp_(variance.detach() * count / (count - 1), weight)
            scale = self.weight * torch.rsqrt(variance + self.eps)
            return h * scale[:, None, None] + (self.bias - mean * scale)[:, None, None]


Work = Callable[[str], None]  # takes the device of the process, such as cuda:1


@dataclass(frozen=True)
class Group:
    """What the processes of a group have in common."""

    processes: int
    meeting: str
    """URL of the file by which they find each other"""
    kind: str
    """of device: cpu or cuda"""
    threads: int
    """CPU threads of each process"""


def run_together(processes: int, device: str, threads: int, work: Work) -> None:
    """Call work(device) in this process and in `processes - 1` new ones, which form a group.

    Process n computes on GPU n, or all of them on the CPU. Raises OecalError if there are not so
    many GPUs, or if another process failed.
    """
    kind = set_up_device(device, threads).type
    if processes == 1:
        return work(device)
    if kind == "cuda" and torch.cuda.device_count() < processes:
        raise OecalError(
            f"processes: found {processes}, but this machine has {torch.cuda.device_count()} "
            "CUDA devices; use at most that many"
        )
    logging.info("training in %d processes", processes)
    with tempfile.TemporaryDirectory(prefix="oecal-") as folder:
        group = Group(processes, f"file://{folder}/meeting", kind, threads)
        others = spawn(  # type: ignore[no-untyped-call]  # PyTorch gives it no types
            run_member, (os.getpid(), group, work), processes - 1, join=False, daemon=True
        )
        try:
            run_member(-1, os.getppid(), group, work)
        # Another process that ends leaves this one in the middle of a sum.
        except RuntimeError as error:
            try:
                others.join(timeout=60)  # a loaded machine takes its time to end a process
            except ProcessRaisedException as cause:
                what = str(cause).strip().splitlines()[-1]
                raise OecalError(f"one of the training processes failed: {what}") from error
            raise
        others.join()


def run_member(n: int, parent: int, group: Group, work: Work) -> None:
    """Run one process of the group, number n + 1; the first one has n = -1."""
    rank = n + 1
    if rank:
        threading.Thread(target=exit_with, args=(parent,), daemon=True).start()
    device = f"cuda:{rank}" if group.kind == "cuda" else "cpu"
    set_up_device(device, group.threads)
    if group.kind == "cuda":
        torch.cuda.set_device(rank)
    dist.init_process_group(
        "nccl" if group.kind == "cuda" else "gloo",
        init_method=group.meeting,
        world_size=group.processes,
        rank=rank,
        timeout=PATIENCE,
    )
    try:
        work(device)
    finally:
        dist.destroy_process_group()


def exit_with(parent: int) -> None:
    """End this process when its parent has ended: nobody waits for it any more."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)
