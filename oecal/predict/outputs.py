"""One batch of images through a trained model, in float32: what is stored of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn

from oecal.models.build import to_input

BATCH = {"cpu": 64, "cuda": 1024}  # on a CPU, a batch whose activations fit the cache is twice as fast as a large one


def classifier(model: Any, images: torch.Tensor) -> dict[str, np.ndarray]:
    """`logits` (N, K) and the last layer's input `features` (N, D), float32."""
    features = model.features(images)
    return {"logits": model.head(features).cpu().numpy(), "features": features.cpu().numpy()}


def density(model: nn.Module, images: torch.Tensor) -> dict[str, np.ndarray]:
    """`log_likelihood` (N,) float64, nats."""
    return {"log_likelihood": model(images).cpu().numpy()}


KINDS = {"classifier": classifier, "density": density}


@torch.inference_mode()
def predict(model: nn.Module, kind: str, images: np.ndarray, device: torch.device) -> dict[str, np.ndarray]:
    """The outputs for all images, uint8 (N, C, H, W); `kind` is the model's KIND."""
    model.eval()
    size = BATCH.get(device.type, BATCH["cpu"])
    starts = range(0, len(images), size)
    batches = [KINDS[kind](model, to_input(torch.from_numpy(images[s : s + size]).to(device))) for s in starts]
    return {name: np.concatenate([batch[name] for batch in batches]) for name in batches[0]}
