"""Statistics of an image that need gradients of a density model: many times the price of a likelihood, so for part of a set only."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import numpy as np
import torch

from oecal.core.seeds import derive_seed
from oecal.models.build_network import to_input

TINY = 1e-30  # below any norm that is not 0


def compute_gradients(
    model: Any, images: np.ndarray, device: torch.device
) -> dict[str, np.ndarray]:
    """The gradients of l = log p(x), nats, of each image, float64.

    `gradient_norms`: log ||dl/dtheta_j||^2, (N, J) for the J parameter tensors; `input_gradient`:
    ||dl/dx||, (N,), x in [0, 1]. images: uint8 (N, C, H, W). One image at a time: the gradient of a
    batch is a sum, of which no image's part can be told.
    """
    model.eval()
    parameters = list(model.parameters())
    norms, inputs = [], []
    for n, image in enumerate(images):
        torch.manual_seed(derive_seed("costly", n))
        x = to_input(torch.from_numpy(image[None]).to(device)).requires_grad_()
        of_parameters = torch.autograd.grad(model(x).sum(), [x, *parameters], allow_unused=True)
        squared = torch.stack(
            [
                g.square().sum() if g is not None else torch.zeros((), device=device)
                for g in of_parameters
            ]
        ).double()
        inputs.append(squared[0].sqrt().item())
        norms.append(squared[1:].clamp(min=TINY).log().cpu().numpy())
    return {"gradient_norms": np.array(norms), "input_gradient": np.array(inputs)}


def compute_regret(
    model: Any, images: np.ndarray, device: torch.device, batch: int = 250
) -> np.ndarray:
    """`model.regret` of a VAE, nats, (N,) float64."""
    values = []
    for start in range(0, len(images), batch):
        torch.manual_seed(derive_seed("costly", start))
        x = to_input(torch.from_numpy(images[start : start + batch]).to(device))
        values.append(model.regret(x).cpu().numpy())
    return np.concatenate(values)


def list_methods(
    model: Any, names: Collection[str], device: torch.device
) -> dict[str, Callable[[np.ndarray], dict[str, np.ndarray]]]:
    """What gives those of gradient_norms, input_gradient and regret that are asked for, by method: `gradients`, `regret`."""
    found: dict[str, Callable[[np.ndarray], dict[str, np.ndarray]]] = {}
    if {"gradient_norms", "input_gradient"} & set(names):
        found["gradients"] = lambda images: {
            n: values
            for n, values in compute_gradients(model, images, device).items()
            if n in names
        }
    if "regret" in names:
        found["regret"] = lambda images: {"regret": compute_regret(model, images, device)}
    return found
