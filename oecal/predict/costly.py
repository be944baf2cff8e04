"""Statistics of an image that need gradients of a density model.

They cost many times as much as a likelihood, so they are computed for part of a set only.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import cast

import numpy as np
import torch
from torch import nn

from oecal.core.seeds import derive_seed
from oecal.models.build_network import to_input
from oecal.models.interfaces import RegretModel

TINY = 1e-30  # below any norm that is not 0

Method = Callable[[np.ndarray], dict[str, np.ndarray]]


def compute_gradients(
    model: nn.Module, images: np.ndarray, device: torch.device
) -> dict[str, np.ndarray]:
    """Return the gradients of l = log p(x), nats, of each image, float64.

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
        gradients = torch.autograd.grad(model(x).sum(), [x, *parameters], allow_unused=True)
        zero = torch.zeros((), device=device)
        squared = torch.stack([g.square().sum() if g is not None else zero for g in gradients])
        squared = squared.double()
        inputs.append(squared[0].sqrt().item())
        norms.append(squared[1:].clamp(min=TINY).log().cpu().numpy())
    return {"gradient_norms": np.array(norms), "input_gradient": np.array(inputs)}


def compute_regret(
    model: RegretModel, images: np.ndarray, device: torch.device, batch: int = 250
) -> np.ndarray:
    """Return `model.regret` of a VAE, nats, (N,) float64."""
    values = []
    for start in range(0, len(images), batch):
        torch.manual_seed(derive_seed("costly", start))
        x = to_input(torch.from_numpy(images[start : start + batch]).to(device))
        values.append(model.regret(x).cpu().numpy())
    return np.concatenate(values)


def list_methods(
    model: nn.Module, names: Collection[str], device: torch.device
) -> dict[str, Method]:
    """Return the methods, `gradients` and `regret`, that give the statistics asked for.

    names: of gradient_norms, input_gradient and regret.
    """
    methods: dict[str, Method] = {}
    if {"gradient_norms", "input_gradient"} & set(names):
        methods["gradients"] = lambda images: {
            name: values
            for name, values in compute_gradients(model, images, device).items()
            if name in names
        }
    if "regret" in names:
        vae = cast(RegretModel, model)
        methods["regret"] = lambda images: {"regret": compute_regret(vae, images, device)}
    return methods
