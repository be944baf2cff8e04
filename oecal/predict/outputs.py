"""Images through a trained model, batch by batch: what is stored of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from oecal.core.device import autocast
from oecal.core.seeds import derive_seed
from oecal.models.build_network import to_input
from oecal.predict.memory import run_in_parts

BATCH = {
    "cpu": 64,
    "cuda": 1024,
}  # on a CPU, a batch whose activations fit the cache is twice as fast as a large one


def apply_classifier(
    model: Any, images: torch.Tensor, classes: int | None
) -> dict[str, torch.Tensor]:
    """`logits` (N, K) and the last layer's input `features` (N, D), float32.

    `background_logit` (N,) if there is an output more.
    """
    features = model.features(images)
    logits = model.head(features)
    found = {"logits": logits[:, :classes], "features": features}
    return (
        found
        if found["logits"].shape == logits.shape
        else found | {"background_logit": logits[:, classes]}
    )


@torch.inference_mode()
def predict_outputs(
    model: Any,
    kind: str,
    images: np.ndarray,
    device: torch.device,
    precision: str = "float32",
    classes: int | None = None,
) -> dict[str, np.ndarray]:
    """The outputs for all images, uint8 (N, C, H, W).

    kind: the model's KIND; classes: how many outputs of a classifier are classes, all by default. A
    density model gives `log_likelihood` (N,) float64, nats, and what else its file lists as
    OUTPUTS.

    Noise that a model draws for its estimate follows from the place of the batch alone, so it
    depends on the batch size of the device.
    """
    model.eval()
    size = BATCH.get(device.type, BATCH["cpu"])

    def outputs(batch: torch.Tensor) -> dict[str, torch.Tensor]:
        with autocast(device, precision):
            return (
                model.parts(batch) if kind == "density" else apply_classifier(model, batch, classes)
            )

    batches = []
    for start in range(0, len(images), size):
        torch.manual_seed(derive_seed("predict", start))
        batch = to_input(torch.from_numpy(images[start : start + size]).to(device))
        batches.append(
            {name: values.cpu().numpy() for name, values in run_in_parts(outputs, batch).items()}
        )
    return {name: np.concatenate([batch[name] for batch in batches]) for name in batches[0]}
