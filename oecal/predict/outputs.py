"""Images through a trained model, batch by batch: what is stored of it."""

from __future__ import annotations

from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from oecal.core.device import autocast
from oecal.core.seeds import derive_seed
from oecal.models.build_network import to_input
from oecal.models.interfaces import Classifier, DensityModel
from oecal.predict.memory import run_in_parts

# On a CPU, a batch whose activations fit the cache is twice as fast as a large one.
BATCH = {"cpu": 64, "cuda": 1024}

TOLERANCE = 1e-4
"""How closely the outputs of one image agree, given the same weights, in float32 on a CPU.

The promise holds across places in a batch, batch sizes, numbers of threads and processors. Logits
differ by at most TOLERANCE times the image's largest logit in magnitude, features by TOLERANCE
times its largest feature, and a log-likelihood by TOLERANCE nats per dimension, unless the model
draws noise for it.

The bits are not the same because libraries choose the order of a sum by shape and processor. A
matrix product takes the rows of a batch a few at a time and passes those left over at its end to
another kernel; a single image takes other routes through convolutions and linear layers than a
batch does; other instruction sets have vectors of other lengths. Measured with the kernels that an
AVX2 processor can run: 5e-7 between places and sizes; between instruction sets 1e-6 for trained
networks of 10 layers and 7e-6 for a WRN-40-2 with random weights.
"""


def apply_classifier(
    model: Classifier, images: Tensor, classes: int | None = None
) -> dict[str, Tensor]:
    """Return `logits` (N, K) and the last layer's input `features` (N, D), float32.

    `background_logit` (N,) too, if there is one output more than `classes`.
    """
    features = model.features(images)
    logits = model.head(features)
    outputs = {"logits": logits[:, :classes], "features": features}
    if classes is not None and classes < logits.shape[1]:
        outputs["background_logit"] = logits[:, classes]
    return outputs


@torch.inference_mode()
def predict_outputs(
    model: nn.Module,
    kind: str,
    images: np.ndarray,
    device: torch.device,
    precision: str = "float32",
    classes: int | None = None,
) -> dict[str, np.ndarray]:
    """Return the outputs for all images, uint8 (N, C, H, W).

    kind: the model's KIND; classes: how many outputs of a classifier are classes, all by default. A
    density model gives `log_likelihood` (N,) float64, nats, and what else its file lists as
    OUTPUTS.

    The same image has the same outputs within TOLERANCE, whatever stands beside it. Noise that a
    model draws for its estimate follows from the place of the batch alone, so it depends on the
    batch size of the device.
    """
    model.eval()
    size = BATCH.get(device.type, BATCH["cpu"])

    def apply(batch: Tensor) -> dict[str, Tensor]:
        with autocast(device, precision):
            if kind == "density":
                return cast(DensityModel, model).parts(batch)
            return apply_classifier(cast(Classifier, model), batch, classes)

    batches = []
    for start in range(0, len(images), size):
        torch.manual_seed(derive_seed("predict", start))
        batch = to_input(torch.from_numpy(images[start : start + size]).to(device))
        outputs = run_in_parts(apply, batch)
        batches.append({name: values.cpu().numpy() for name, values in outputs.items()})
    return {name: np.concatenate([batch[name] for batch in batches]) for name in batches[0]}
