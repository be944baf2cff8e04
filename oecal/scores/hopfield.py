"""Energy of a modern Hopfield network that stores the training images of each class.

Higher is more anomalous, float64 (N,).
"""

from __future__ import annotations

import numpy as np

from oecal.scores.fit_memory import remember_fit

SCORES = ("she",)


@remember_fit
def _patterns(
    train_features: np.ndarray, train_logits: np.ndarray, train_labels: np.ndarray
) -> np.ndarray:
    """Return the mean features of each class's correctly classified training images, (K, D).

    0 for a class without any.
    """
    right = train_logits.argmax(axis=1) == train_labels
    patterns = np.zeros((train_logits.shape[1], train_features.shape[1]))
    for k in np.unique(train_labels[right]):
        patterns[k] = train_features[right & (train_labels == k)].mean(axis=0, dtype=np.float64)
    return patterns


def she(
    logits: np.ndarray,
    features: np.ndarray,
    train_features: np.ndarray,
    train_logits: np.ndarray,
    train_labels: np.ndarray,
) -> np.ndarray:
    """-f.s_y, s_y the stored pattern of the predicted class y: simplified Hopfield energy.

    Zhang et al., ICLR 2023, eq. 7. A class without any correctly classified training image has an
    empty pattern, and with it the score 0, the highest that features >= 0 can have.
    """
    products: np.ndarray = -np.einsum(
        "nd,nd->n",
        features,
        _patterns(train_features, train_logits, train_labels)[logits.argmax(axis=1)],
    )
    return products
