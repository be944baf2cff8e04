"""Training with Outlier Exposure on images as CIFAR-10 has them: our loop beside a plain PyTorch loop, images per second.

The plain loop is written as the code of Hendrycks et al. is: a DataLoader with worker processes that augment PIL images one by one, in
float32, the loss read after each step. Same network (WideResNet-40-2 on a GPU, 16-2 on a CPU), batches of 128 images and 256 outliers (a
CPU: 32 and 64), the same optimiser. In turn in one process; only ratios carry over. Share of the limit: floating-point operations of the
network, forward and backward, against those of a large matrix product in the same precision.
"""

from __future__ import annotations

import functools
import statistics
import time

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset
from torch.utils.flop_counter import FlopCounterMode
from torchvision import transforms

from oecal.device import effective, move, set_up
from oecal.models import wrn
from oecal.training import oe
from oecal.training.loop import Data, Recipe, make_optimizer, one_epoch

STEPS = {"cpu": 12, "cuda": 200}
BATCH = {"cpu": 32, "cuda": 128}
DEPTH = {"cpu": 16, "cuda": 40}
TURNS = 3


class Pictures(Dataset[tuple[torch.Tensor, int]]):
    """Images one by one, as torchvision's data sets give them."""

    def __init__(self, images: np.ndarray, labels: np.ndarray) -> None:
        self.images, self.labels = images.transpose(0, 2, 3, 1), labels
        steps = [transforms.RandomHorizontalFlip(), transforms.RandomCrop(32, padding=4), transforms.ToTensor()]
        self.transform = transforms.Compose([*steps, transforms.Normalize([0.49, 0.48, 0.45], [0.25, 0.24, 0.26])])

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, n: int) -> tuple[torch.Tensor, int]:
        return self.transform(Image.fromarray(self.images[n])), int(self.labels[n])


def network(device: torch.device) -> nn.Module:
    torch.manual_seed(0)
    return wrn.build(wrn.Options(depth=DEPTH[device.type], width=2, dropout=0.3), (3, 32, 32), 10).to(device)


def plain(model: nn.Module, images: DataLoader[tuple[torch.Tensor, int]], outliers: DataLoader[tuple[torch.Tensor, int]],
          device: torch.device) -> None:  # fmt: skip
    """An epoch as the official code has it."""
    optimizer = torch.optim.SGD(model.parameters(), 0.1, momentum=0.9, weight_decay=0.0005, nesterov=True)
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
        average = 0.8 * average + 0.2 * float(loss)


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


def compare(device: torch.device, threads: int) -> None:
    steps, batch = STEPS[device.type], BATCH[device.type]
    rng = np.random.default_rng(0)
    n = steps * batch
    images, outliers = (rng.integers(0, 256, (size, 3, 32, 32), np.uint8) for size in (n, 2 * n))
    labels = rng.integers(0, 10, n)
    workers = {"num_workers": threads, "pin_memory": device.type == "cuda", "persistent_workers": True, "drop_last": True}
    loaders = [
        DataLoader(Pictures(images, labels), batch, shuffle=True, **workers),
        DataLoader(Pictures(outliers, np.zeros(2 * n)), 2 * batch, shuffle=True, **workers),
    ]
    theirs = network(device)

    ours = network(device)
    move(ours, device, channels_last=True)
    recipe = Recipe(1, 0, batch, 2 * batch, "sgd", 0.1, 1e-6, 0.9, 0.0005, 0.0, 4, True)
    data = Data(*(torch.from_numpy(array).to(device) for array in (images, labels, outliers, images[:1], labels[:1])))
    optimizer, loss = make_optimizer(ours, recipe), functools.partial(oe.loss, options=oe.Options())
    calls = {
        "ours": functools.partial(one_epoch, ours, optimizer, loss, data, recipe, 0, 0, "auto"),
        "ours, float32": functools.partial(one_epoch, ours, optimizer, loss, data, recipe, 0, 0, "float32"),
        "plain loop": functools.partial(plain, theirs, *loaders, device),
    }
    precision = effective(device, "auto")
    if precision == "float32":
        del calls["ours, float32"]
    times: dict[str, list[float]] = {name: [] for name in calls}
    for turn in range(TURNS + 1):
        for name, call in calls.items():
            took = seconds(call, device)
            if turn:  # the first is for warming up: workers start, algorithms are chosen
                times[name].append(took)
    per_image, ceiling = operations(network(device), device, batch), limit(device, precision)
    print(f"  all images a second, outliers counted; {precision}, {ceiling / 1e9:,.0f} GFLOP/s in a matrix product")
    rates = {name: 3 * n / statistics.median(found) for name, found in times.items()}
    for name, rate in rates.items():
        share = f"  {100 * rate * per_image / ceiling:5.1f}% of the limit" if name == "ours" else ""
        print(f"  {name:20s} {rate:10,.0f}  {rates['ours'] / rate:6.2f} x{share}")


def main() -> None:
    print(f"\nTraining a WideResNet on CIFAR-10's format, CPU, {torch.get_num_threads()} threads")
    compare(set_up("cpu", torch.get_num_threads()), torch.get_num_threads())
    if torch.cuda.is_available():
        print(f"\nThe same on {torch.cuda.get_device_name()}")
        compare(set_up("cuda", torch.get_num_threads()), min(8, torch.get_num_threads()))
    else:
        print("\nSkipped: the same on a GPU; there is none")


if __name__ == "__main__":
    main()
