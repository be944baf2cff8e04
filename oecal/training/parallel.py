"""A training shared by several processes of one machine, each with a GPU of its own (or on CPU): the loss curve of one process.

Each process draws the same batches from the same seed and takes its share of each; gradients are
averaged by DistributedDataParallel, batch normalisation sees the whole batch. Without a group of
processes (`together`) every function here leaves things as they are. Objectives that compare images
of a batch with each other (mixup, the margin over pairs) compare those of a share.
"""

from __future__ import annotations

import logging
import os
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.multiprocessing.spawn import ProcessRaisedException, start_processes

from oecal.core.device import set_up_device
from oecal.core.errors import OecalError

PATIENCE = timedelta(
    minutes=30
)  # one process may wait so long for another: a slow disk, a long validation


def count_processes() -> int:
    """Processes that share this training; 1 if none does."""
    return dist.get_world_size() if dist.is_initialized() else 1


def is_first() -> bool:
    """Whether this process is the one that writes files."""
    return not dist.is_initialized() or dist.get_rank() == 0


def take_share(images: Tensor) -> Tensor:
    """The share of a batch that falls to this process: of n processes, every n-th image."""
    return images[dist.get_rank() :: count_processes()] if dist.is_initialized() else images


def average(values: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The mean over all processes of each value."""
    if count_processes() > 1:
        for value in values.values():
            dist.all_reduce(value)
            value /= count_processes()
    return dict(values)


def share_gradients(model: nn.Module, start: Tensor) -> nn.Module:
    """The model, so that its gradients are means over all processes.

    Same parameters, trained in place.

    start: a batch, the same one in each process, for a model that begins with the statistics of its
    first batch.
    """
    if count_processes() == 1:
        return model
    if not getattr(model, "initialised", True):
        with torch.no_grad():
            model.train()(start)
    for module in list(model.modules()):
        for name, child in module.named_children():
            if isinstance(child, nn.BatchNorm2d):
                setattr(module, name, SharedBatchNorm.of(child))
    return nn.parallel.DistributedDataParallel(model)


class Sum(torch.autograd.Function):
    """The sum of a tensor over all processes; its gradient is the sum of theirs."""

    @staticmethod
    def forward(context: Any, x: Tensor) -> Tensor:
        """The sum over all processes; x itself stays as it is."""
        x = x.clone()
        dist.all_reduce(x)
        return x

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> Tensor:
        """Of the gradients over all processes: each one's x is in the result of every one."""
        return Sum.forward(context, gradient)


class SharedBatchNorm(nn.BatchNorm2d):
    """Batch normalisation over the images of all processes: mean and variance of sums that are added up.

    torch.nn.SyncBatchNorm does the same on GPUs, but refuses CPUs.
    """

    @classmethod
    def of(cls, norm: nn.BatchNorm2d) -> SharedBatchNorm:
        """The same layer, with its parameters and statistics."""
        new = cls(norm.num_features, norm.eps, norm.momentum, norm.affine, norm.track_running_stats)
        new._parameters, new._buffers, new.training = norm._parameters, norm._buffers, norm.training
        return new

    def forward(self, x: Tensor) -> Tensor:
        """x (N, C, H, W) of this process, normalised by the mean and variance of all.

        In evaluation, by the running ones.
        """
        if not self.training:
            return super().forward(x)
        with torch.autocast(x.device.type, enabled=False):
            h = x.float()
            sums: Tensor = Sum.apply(torch.cat([h.sum(dim=(0, 2, 3)), (h * h).sum(dim=(0, 2, 3))]))
            count = count_processes() * h.numel() // h.shape[1]
            average, square = (sums / count).chunk(2)
            variance = square - average * average
            if (
                self.running_mean is not None
                and self.running_var is not None
                and self.num_batches_tracked is not None
            ):
                self.num_batches_tracked += 1
                weight = (
                    1 / self.num_batches_tracked.item() if self.momentum is None else self.momentum
                )
                self.running_mean.lerp_(average.detach(), weight)
                self.running_var.lerp_(variance.detach() * count / (count - 1), weight)
            scale = self.weight * torch.rsqrt(variance + self.eps)
            return h * scale[:, None, None] + (self.bias - average * scale)[:, None, None]


def run_together(
    processes: int, device: str, threads: int, work: Callable[..., None], *arguments: Any
) -> None:
    """Calls work(device, *arguments) in this process and in `processes - 1` new ones, which form a group meanwhile.

    Process n computes on GPU n, or all of them on the CPU. Raises OecalError if there are not so
    many GPUs, or if another process failed.
    """
    kind = set_up_device(device, threads).type
    if processes == 1:
        return work(device, *arguments)
    if kind == "cuda" and torch.cuda.device_count() < processes:
        raise OecalError(
            f"processes: found {processes}, but there are {torch.cuda.device_count()} CUDA devices here; write at most that"
        )
    logging.info("shared by %d processes", processes)
    with tempfile.TemporaryDirectory(prefix="oecal-") as folder:
        meeting = f"file://{folder}/meeting"
        others = start_processes(  # type: ignore[no-untyped-call]  # PyTorch gives it no types
            run_member,
            (os.getpid(), processes, meeting, kind, threads, work, arguments),
            processes - 1,
            join=False,
            daemon=True,
        )
        try:
            run_member(-1, os.getppid(), processes, meeting, kind, threads, work, arguments)
        except (
            RuntimeError
        ) as error:  # another process that ends leaves this one in the middle of a sum
            try:
                others.join(timeout=10)
            except ProcessRaisedException as cause:
                raise OecalError(
                    f"a process that shares the training failed: {str(cause).strip().splitlines()[-1]}"
                ) from error
            raise
        others.join()


def run_member(
    n: int,
    parent: int,
    processes: int,
    meeting: str,
    kind: str,
    threads: int,
    work: Callable[..., None],
    arguments: tuple[Any, ...],
) -> None:
    """One process of the group, number n + 1; the first one has n = -1."""
    rank = n + 1
    if rank:
        threading.Thread(target=exit_with, args=(parent,), daemon=True).start()
    device = f"cuda:{rank}" if kind == "cuda" else "cpu"
    set_up_device(device, threads)
    if kind == "cuda":
        torch.cuda.set_device(rank)
    dist.init_process_group(
        "nccl" if kind == "cuda" else "gloo",
        init_method=meeting,
        world_size=processes,
        rank=rank,
        timeout=PATIENCE,
    )
    try:
        work(device, *arguments)
    finally:
        dist.destroy_process_group()


def exit_with(parent: int) -> None:
    """Ends this process when its parent has ended, however that was killed: nobody waits for it any more."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)
