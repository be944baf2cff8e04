"""Training with Outlier Exposure on images like CIFAR-10's, beside a plain PyTorch loop.

Prints images per second.

The plain loop is written as the code of Hendrycks et al. is: a DataLoader with worker processes
that augment PIL images one by one, in float32, the loss read after each step. Same network
(WideResNet-40-2 on a GPU, 16-2 on a CPU), batches of 128 images and 256 outliers (a CPU: 32 and
64), the same optimiser. In turn in one process; only ratios carry over. Share of the limit:
floating-point operations of the network, forward and backward, against those of a large matrix
product in the same precision.

Also what we do not do, so that it can be decided by numbers: our loop with the network compiled (on
a GPU with CUDA graphs); and what Snakemake does with `--resources gpu=n` on a machine with one GPU,
n trainings side by side in processes of their own.
"""

from __future__ import annotations

import functools
import multiprocessing
import statistics
import time
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset
from torch.utils.flop_counter import FlopCounterMode
from torchvision import transforms

from oecal.core.device import move_model, resolve_precision, set_up_device
from oecal.models import wrn
from oecal.training import oe
from oecal.training.loop import Data, TrainingTask, make_optimizer, train_epoch
from oecal.training.recipe import Recipe

STEPS = {"cpu": 12, "cuda": 200}
BATCH = {"cpu": 32, "cuda": 128}
DEPTH = {"cpu": 16, "cuda": 40}
TURNS = 3
BESIDE = {"cpu": (1, 2), "cuda": (1, 2, 4, 8)}  # trainings at a time


class Pictures(Dataset[tuple[torch.Tensor, int]]):
    """Images one by one, as torchvision's data sets give them."""

    def __init__(self, images: np.ndarray, labels: np.ndarray) -> None:
        self.images, self.labels = images.transpose(0, 2, 3, 1), labels
        steps = [
            transforms.RandomHorizontalFlip(),
            transforms.RandomCrop(32, padding=4),
            transforms.ToTensor(),
        ]
        self.transform = transforms.Compose(
            [*steps, transforms.Normalize([0.49, 0.48, 0.45], [0.25, 0.24, 0.26])]
        )

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, n: int) -> tuple[torch.Tensor, int]:
        return self.transform(Image.fromarray(self.images[n])), int(self.labels[n])


def network(device: torch.device) -> nn.Module:
    torch.manual_seed(0)
    return wrn.build(
        wrn.Options(depth=DEPTH[device.type], width=2, dropout=0.3), (3, 32, 32), 10
    ).to(device)


def plain(
    model: nn.Module,
    images: DataLoader[tuple[torch.Tensor, int]],
    outliers: DataLoader[tuple[torch.Tensor, int]],
    device: torch.device,
) -> None:
    """An epoch as the official code has it."""
    optimizer = torch.optim.SGD(
        model.parameters(), 0.1, momentum=0.9, weight_decay=0.0005, nesterov=True
    )
    model.train()
    average = 0.0
    for (x, y), (around, _) in zip(images, outliers, strict=False):
        data, target = torch.cat([x, around]).to(device), y.to(device)
        out = model(data)
        optimizer.zero_grad()
        loss = F.cross_entropy(out[: len(x)], target)
        loss = loss + 0.5 * -(out[len(x) :].mean(1) - torch.logsumexp(out[len(x) :], dim=1)).mean()
        loss.backward()
        optimizer.step()
        average = 0.8 * average + 0.2 * loss.item()


def seconds(call: functools.partial[object], device: torch.device) -> float:
    start = time.perf_counter()
    call()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - start


def limit(device: torch.device, precision: str) -> float:
    """Floating-point operations a second of a large matrix product."""
    size = 8192 if device.type == "cuda" else 1024
    kind = torch.bfloat16 if precision == "bfloat16" else torch.float32
    a, b = (torch.rand(size, size, device=device, dtype=kind) for _ in range(2))
    product = functools.partial(torch.mm, a, b)
    seconds(product, device)
    return 2 * size**3 / min(seconds(product, device) for _ in range(10))


def operations(model: nn.Module, device: torch.device, batch: int) -> float:
    """Of one image, forward and backward."""
    with FlopCounterMode(display=False) as counter:
        model(torch.rand(batch, 3, 32, 32, device=device)).sum().backward()
    return counter.get_total_flops() / batch


def arrays(steps: int, batch: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Images, labels and outliers of an epoch."""
    rng = np.random.default_rng(0)
    n = steps * batch
    images, outliers = (rng.integers(0, 256, (size, 3, 32, 32), np.uint8) for size in (n, 2 * n))
    return images, rng.integers(0, 10, n), outliers


def ours(
    device: torch.device, precision: str = "auto", compiled: bool = False
) -> functools.partial[object]:
    """An epoch of our loop."""
    batch = BATCH[device.type]
    model = network(device)
    move_model(model, device, channels_last=True)
    recipe = Recipe(1, 0, batch, 2 * batch, "sgd", 0.1, 1e-6, 0.9, 0.0005, 0.0, 4, True)
    images, labels, outliers = (
        torch.from_numpy(array).to(device) for array in arrays(STEPS[device.type], batch)
    )
    data = Data(images, labels, outliers, images[:1], labels[:1])
    optimizer, loss = (
        make_optimizer(model, recipe),
        functools.partial(oe.loss, options=oe.Options()),
    )
    if compiled:
        model = torch.compile(model, mode="reduce-overhead" if device.type == "cuda" else "default")
    task = TrainingTask(loss, data, recipe, seed=0, precision=precision)
    return functools.partial(train_epoch, model, optimizer, task, 0)


def compare(device: torch.device, threads: int) -> None:
    steps, batch = STEPS[device.type], BATCH[device.type]
    images, labels, outliers = arrays(steps, batch)
    workers = {
        "num_workers": threads,
        "pin_memory": device.type == "cuda",
        "persistent_workers": True,
        "drop_last": True,
    }
    loaders = [
        DataLoader(Pictures(images, labels), batch, shuffle=True, **workers),
        DataLoader(Pictures(outliers, np.zeros(len(outliers))), 2 * batch, shuffle=True, **workers),
    ]
    precision = resolve_precision(device, "auto")
    calls = {
        "ours": ours(device),
        "plain loop": functools.partial(plain, network(device), *loaders, device),
    }
    calls["ours, compiled"] = ours(device, compiled=True)
    if precision != "float32":
        calls["ours, float32"] = ours(device, "float32")
    times: dict[str, list[float]] = {name: [] for name in calls}
    for turn in range(TURNS + 1):
        for name, call in list(calls.items()):
            try:
                took = seconds(call, device)
            except torch._dynamo.exc.BackendCompilerFailed as error:  # no C++ compiler, for one
                print(f"  {name}: skipped, {str(error).splitlines()[0]}")
                del calls[name], times[name]
                continue
            if turn:  # the first is for warming up: workers start, algorithms are chosen
                times[name].append(took)
            elif name.endswith("compiled"):
                print(f"  the first epoch, compilation included, takes {took:.0f} s")
    per_image, ceiling = operations(network(device), device, batch), limit(device, precision)
    product = f"{precision}, {ceiling / 1e9:,.0f} GFLOP/s in a matrix product"
    print(f"  all images a second, outliers counted; {product}")
    rates = {name: 3 * steps * batch / statistics.median(took) for name, took in times.items()}
    for name, rate in rates.items():
        share = f"  {100 * rate * per_image / ceiling:5.1f}% of the limit" if name == "ours" else ""
        print(f"  {name:20s} {rate:10,.0f}  {rates['ours'] / rate:6.2f} x{share}")


def one_of_several(device: str, threads: int, together: Barrier, took: Queue[float]) -> None:
    """A training in a process of its own: once to warm up, then all start together."""
    chosen = set_up_device(device, threads)
    call = ours(chosen)
    seconds(call, chosen)
    together.wait()
    took.put(seconds(call, chosen))


def side_by_side(device: torch.device, threads: int) -> None:
    context = multiprocessing.get_context("spawn")
    print("  trainings side by side: all images a second of all of them")
    for number in BESIDE[device.type]:
        together, took = context.Barrier(number), context.Queue()
        arguments = (device.type, max(1, threads // number), together, took)
        processes = [context.Process(target=one_of_several, args=arguments) for _ in range(number)]
        for process in processes:
            process.start()
        longest = max(took.get() for _ in processes)
        for process in processes:
            process.join()
        images = number * 3 * STEPS[device.type] * BATCH[device.type]
        print(f"  {number:20d} {images / longest:10,.0f}")


def main() -> None:
    threads = torch.get_num_threads()
    print(f"\nTraining a WideResNet on CIFAR-10's format, CPU, {threads} threads")
    device = set_up_device("cpu", threads)
    compare(device, threads)
    side_by_side(device, threads)
    if torch.cuda.is_available():
        print(f"\nThe same on {torch.cuda.get_device_name()}")
        device = set_up_device("cuda", threads)
        compare(device, min(8, threads))
        side_by_side(device, threads)
    else:
        print("\nSkipped: the same on a GPU; there is none")


if __name__ == "__main__":
    main()
