"""Glow beside the same flow of normflows, with the same weights and on one thread.

Times log-likelihoods of the same images, and a training step.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import normflows as nf
import torch
from torch import Tensor, nn

from benchmarks import timing
from oecal.models import flow_layers, glow

SHAPE, IMAGES, BATCH = (1, 28, 28), 512, 64


def as_normflows(model: glow.Glow) -> nf.MultiscaleFlow:
    """The same flow of normflows' layers with a copy of the weights.

    It has no lower bound of a coupling's scale, and its split priors are not conditional:
    `Coupling.low` must be 0, those networks zero.
    """
    flows, priors = [], []
    for level in reversed(model.levels):  # their lists run from the latent to the image
        c = level.stays + level.prior.mean.shape[0]
        blocks = []
        for mix, coupling in zip(reversed(level.mixes), reversed(level.couplings), strict=True):
            block = nf.flows.GlowBlock(c, coupling.net[0].out_channels)
            affine, conv, norm = block.flows
            net = affine.flows[1].param_map.net
            for ours, theirs in zip(coupling.net, net, strict=True):
                theirs.load_state_dict(ours.state_dict())
            order = (
                torch.arange(c // 2 * 2).view(2, -1).T.flatten()
            )  # ours: all shifts, then all scales; theirs: in turn
            net[-1].load_state_dict({k: v[order] for k, v in coupling.net[-1].state_dict().items()})
            with torch.no_grad():
                conv.P.copy_(torch.eye(c)[mix.permutation])
                conv.sign_S.copy_(mix.sign)
                for theirs, ours in (
                    (conv.L, mix.lower),
                    (conv.U, mix.upper),
                    (conv.log_S, mix.log_s),
                ):
                    theirs.copy_(ours)
                norm.t.copy_(mix.mean.view(1, c, 1, 1))
                norm.s.copy_(mix.log_std.view(1, c, 1, 1))
                norm.data_dep_init_done.fill_(1)
            blocks.append(block)
        flows.append([*blocks, nf.flows.Squeeze()])
        prior = nf.distributions.DiagGaussian(tuple(level.prior.mean.shape))
        prior.load_state_dict(
            {"loc": level.prior.mean[None], "log_scale": level.prior.log_std[None]}
        )
        priors.append(prior)
    transform = nf.transforms.Logit(model.alpha) if model.alpha else None
    return nf.MultiscaleFlow(
        priors, flows, [nf.flows.Merge() for _ in flows[1:]], transform, class_cond=False
    )


def show(title: str, calls: dict[str, Callable[[], object]]) -> None:
    timing.show(title, calls, runs=5, clock=time.process_time)


def main() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    flow_layers.Coupling.low = 0.0
    model = glow.build(glow.Options(), SHAPE, 0)
    with torch.no_grad():
        for name, p in model.named_parameters():
            if "prior.net" not in name:
                p.add_(0.02 * torch.randn(p.shape))
    model.initialised.fill_(True)
    peer = as_normflows(model)
    y = torch.rand(IMAGES, *SHAPE)
    batch = y[:BATCH]

    def low(call: Callable[[Tensor], Tensor], images: Tensor) -> Tensor:
        with torch.autocast("cpu", torch.bfloat16):
            return call(images)

    def step(net: nn.Module, call: Callable[[Tensor], Tensor], precision: str) -> None:
        net.zero_grad()
        (-(low(call, batch) if precision == "bfloat16" else call(batch)).mean()).backward()

    def ours(images: Tensor) -> Tensor:
        return model.log_density(images)[0]

    def theirs(images: Tensor) -> Tensor:
        return peer.log_prob(images, None)

    for memory_format, title in (
        (torch.contiguous_format, "weights as built"),
        (torch.channels_last, "weights channels_last"),
    ):
        model.to(memory_format=memory_format)
        peer.to(memory_format=memory_format)
        with torch.no_grad():
            torch.testing.assert_close(ours(y), theirs(y).double(), rtol=1e-5, atol=1e-2)
            show(
                f"log-likelihood of {IMAGES} images 28 x 28, {title}",
                {
                    "oecal, float32": lambda: ours(y),
                    "normflows, float32": lambda: theirs(y),
                    "oecal, bfloat16 networks": lambda: low(ours, y),
                    "normflows, all in bfloat16": lambda: low(theirs, y),
                },
            )
            exact, inexact = theirs(y), low(theirs, y)
            own_error = (low(ours, y) - ours(y)).abs().max()
            peer_error = (inexact - exact).abs().max()
            print(f"  off by, nats: oecal {own_error:.3f}, normflows {peer_error:.3f}")
        show(
            f"gradients of a batch of {BATCH}, {title}",
            {
                "oecal, float32": lambda: step(model, ours, "float32"),
                "normflows, float32": lambda: step(peer, theirs, "float32"),
                "oecal, bfloat16 networks": lambda: step(model, ours, "bfloat16"),
                "normflows, all in bfloat16": lambda: step(peer, theirs, "bfloat16"),
            },
        )


if __name__ == "__main__":
    main()
