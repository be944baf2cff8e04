"""Augmentation of a whole batch on the device: random shift and horizontal flip."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def augment(images: Tensor, shift: int, flip: bool) -> Tensor:
    """Shift images (N, C, H, W) by up to `shift` pixels each, with `flip` mirror half of them.

    With zero padding, this is the random crop of the papers. Random numbers come from torch's
    global CPU generator, on any device: the same augmentation on CPU and GPU.
    """
    n, _, height, width = images.shape
    if shift:
        padded = F.pad(images, (shift,) * 4)
        offset = torch.randint(2 * shift + 1, (2, n)).to(images.device, non_blocking=True)
        rows = offset[0, :, None] + torch.arange(height, device=images.device)
        columns = offset[1, :, None] + torch.arange(width, device=images.device)
        index = torch.arange(n, device=images.device)
        images = padded[index[:, None, None], :, rows[:, :, None], columns[:, None, :]].permute(
            0, 3, 1, 2
        )
    if flip:
        mirrored = (torch.rand(n) < 0.5).to(images.device, non_blocking=True)
        images = torch.where(mirrored[:, None, None, None], images.flip(3), images)
    return images
