"""Scores of a density model beside its likelihood: parts of the likelihood, and gradients.

Higher is more anomalous, (N,).
"""

from __future__ import annotations

import numpy as np

SCORES = (
    "last_scale",
    "kl",
    "reconstruction",
    "likelihood_regret",
    "input_gradient",
    "gradient_norms",
)


def last_scale(last_scale: np.ndarray) -> np.ndarray:
    """-log-likelihood of a flow's last scale, nats: the likelihood of the coarse structure.

    Schirrmeister et al. 2020 (arXiv 2006.10848).
    """
    return -last_scale


def kl(kl: np.ndarray) -> np.ndarray:
    """KL(q(z|x) || p(z)) of a VAE, nats: how much information the latent code holds."""
    return kl


def reconstruction(reconstruction: np.ndarray) -> np.ndarray:
    """-E_q log p(x|z) of a VAE, nats: the reconstruction error alone."""
    return -reconstruction


def likelihood_regret(regret: np.ndarray) -> np.ndarray:
    """max_q ELBO(x; q) - ELBO(x), nats: the gain from a posterior fitted to this image alone.

    Xiao et al., NeurIPS 2020 (arXiv 2003.02977).
    """
    return regret


def input_gradient(input_gradient: np.ndarray) -> np.ndarray:
    """||d log p(x) / dx||, x in [0, 1]: approximate mass, with the opposite sign of the paper.

    Grathwohl et al., ICLR 2020 (arXiv 1912.03263), section 5.3.
    """
    return input_gradient


def gradient_norms(gradient_norms: np.ndarray, val_gradient_norms: np.ndarray) -> np.ndarray:
    """-log density of f_j = log ||d log p(x) / d theta_j||^2 under independent Gaussians, nats.

    The Gaussians are fitted to ID validation images. The model has J parameter tensors theta_j;
    gradient_norms (N, J) are the f_j (Dauncey et al. 2024, arXiv 2403.01485). A tensor whose norm
    does not vary on the validation images carries no information and is left out.
    """
    mean, sd = val_gradient_norms.mean(axis=0), val_gradient_norms.std(axis=0, ddof=1)
    varies = sd > 1e-6
    z = (gradient_norms[:, varies] - mean[varies]) / sd[varies]
    nats: np.ndarray = (0.5 * z**2 + np.log(sd[varies]) + 0.5 * np.log(2 * np.pi)).sum(axis=1)
    return nats
