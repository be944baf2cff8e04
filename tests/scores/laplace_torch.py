"""Makes laplace_torch.json, against which oecal.scores.laplace is tested: the same posterior and
predictions by laplace-torch.

Made with laplace-torch 0.3, curvlinops-for-pytorch 3.0.1 and torch 2.15.0. The tests do without
laplace-torch, which brings half a dozen packages; to make the file again: `python -m venv x;
x/bin/pip install laplace-torch==0.3; x/bin/python tests/scores/laplace_torch.py`.

laplace-torch gives the bias a block of its own, so that weights and bias have no covariance. Here
the layer that it sees has no bias and one more feature, of value 1: the same layer, in one block.
"""

import json
from pathlib import Path

import numpy as np
import torch
from laplace import KronLLLaplace
from laplace.curvature import CurvlinopsGGN
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

D, K = 5, 3
torch.set_default_dtype(torch.float64)


class Network(nn.Module):
    def __init__(self, weight: np.ndarray) -> None:
        super().__init__()
        self.body, self.head = nn.Identity(), nn.Linear(D + 1, K, bias=False)
        self.head.weight.data = torch.from_numpy(weight)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.body(x))


def loader(features: np.ndarray, labels: np.ndarray) -> DataLoader:
    """All images in one batch, each feature vector with a 1 at its end."""
    inputs = torch.from_numpy(np.column_stack([features, np.ones(len(features))]))
    return DataLoader(TensorDataset(inputs, torch.from_numpy(labels)), batch_size=len(features))


def nll(p: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Mean NLL.

    The metric that laplace-torch takes by itself is not reset from one prior precision to the next:
    it adds them all up.
    """
    return nn.functional.nll_loss(p.log(), labels)


def main() -> None:
    rng = np.random.default_rng(0)
    weight = rng.normal(size=(K, D + 1))
    features = {
        split: np.maximum(rng.normal(0.3, 1, (n, D)), 0)
        for split, n in (("train", 40), ("val", 30), ("test", 10))
    }
    logits = {split: f @ weight[:, :D].T + weight[:, D] for split, f in features.items()}
    # True labels of a model that is half as sure: there is something for the prior precision to
    # gain.
    labels = {
        split: (z / 2 + rng.gumbel(size=z.shape)).argmax(axis=1) for split, z in logits.items()
    }
    batches = {split: loader(features[split], labels[split]) for split in features}
    found = KronLLLaplace(
        Network(weight), "classification", last_layer_name="head", backend=CurvlinopsGGN
    )
    found.fit(batches["train"])
    test = next(iter(batches["test"]))[0]
    p = {}
    for precision in (1e-3, 1.0, 100.0):
        found.prior_precision = precision
        p[precision] = found(test, pred_type="glm", link_approx="probit").tolist()
    found.optimize_prior_precision(
        pred_type="glm",
        method="gridsearch",
        link_approx="probit",
        val_loader=batches["val"],
        log_prior_prec_min=-4,
        log_prior_prec_max=4,
        grid_size=17,
        loss=nll,
    )
    best = {
        "precision": found.prior_precision.item(),
        "p": found(test, pred_type="glm", link_approx="probit").tolist(),
    }
    arrays = {
        f"{split}_{name}": of[split].tolist()
        for name, of in (("features", features), ("logits", logits))
        for split in of
    }
    arrays |= {"val_labels": labels["val"].tolist(), "p": p, "best": best}
    Path(__file__).with_suffix(".json").write_text(json.dumps(arrays, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
