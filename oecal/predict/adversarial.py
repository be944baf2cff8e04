"""Images moved by a few levels to where a classifier is more, or less, sure than it should be.

For comparison, images are also moved at random, as far. All stay within epsilon of the image in the
L-infinity norm, and are images again: whole levels from 0 to 255. What is moved up or down is log
max_k softmax(z)_k, the confidence. FGSM: one step of epsilon along the sign of its gradient
(Goodfellow et al., ICLR 2015, arXiv 1412.6572). PGD: several small ones, each projected back (Madry
et al., ICLR 2018, arXiv 1706.06083). As in Bitterwolf et al. (NeurIPS 2020, arXiv 2007.08473) the
question is whether an OOD image can be made to look safe; and whether an ID image can be made to
raise an alarm.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from oecal.core.seeds import derive_seed
from oecal.models.build_network import to_input

# The configuration is checked against this list without an import.
ATTACKS = ("fgsm", "pgd", "random")
STEPS = 10  # of PGD, each 2.5 epsilon / STEPS
BATCH = {"cpu": 64, "cuda": 256}

Logits = Callable[[Tensor], Tensor]


def find_uphill(logits: Logits, images: Tensor) -> Tensor:
    """Return the sign of the gradient of the confidence, of the images' shape."""
    images = images.detach().requires_grad_()
    with torch.enable_grad():
        confidence = logits(images).log_softmax(dim=1).amax(dim=1)
        (gradient,) = torch.autograd.grad(confidence.sum(), images)
    return gradient.sign()


def move_images(logits: Logits, images: Tensor, attack: str, epsilon: float, up: bool) -> Tensor:
    """Move images (N, C, H, W) in [0, 1] by at most epsilon to where the confidence is higher.

    Without `up`, to where it is lower.
    """
    if attack == "random":
        signs = torch.randint(0, 2, images.shape).mul(2).sub(1).to(images)
        return (images + epsilon * signs).clamp(0, 1)
    low, high = (images - epsilon).clamp(min=0), (images + epsilon).clamp(max=1)
    steps, size = (1, epsilon) if attack == "fgsm" else (STEPS, 2.5 * epsilon / STEPS)
    sign = 1 if up else -1
    for _ in range(steps):
        images = (images + sign * size * find_uphill(logits, images)).clamp(low, high)
    return images


def attack_images(
    logits: Logits, images: np.ndarray, attack: str, levels: int, up: bool, device: torch.device
) -> np.ndarray:
    """Move each level of images uint8 (N, C, H, W) by at most `levels`.

    Noise follows from the place of the batch alone.
    """
    size, parts = BATCH.get(device.type, BATCH["cpu"]), []
    for start in tqdm(range(0, len(images), size), desc=attack, leave=False, disable=None):
        torch.manual_seed(derive_seed("attack", attack, start))
        batch = to_input(torch.from_numpy(images[start : start + size]).to(device))
        moved = move_images(logits, batch, attack, levels / 255, up)
        parts.append((moved * 255).round().to(torch.uint8).cpu().numpy())
    return np.concatenate(parts)
