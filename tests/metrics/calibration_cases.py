"""Predictions that are hard to get right, for tests against other packages."""

import numpy as np
import pytest
from scipy.special import softmax

RNG = np.random.default_rng(5)


def close(expected):
    return pytest.approx(expected, rel=1e-5, abs=1e-12)


def without(cases, *names):
    return [name for name in cases if name not in names]


def predictions(logits, labels):
    """Probabilities, labels, confidence and correctness."""
    p = softmax(np.asarray(logits, float), axis=1)
    return p, np.asarray(labels), p.max(axis=1), (p.argmax(axis=1) == labels).astype(float)


LOGITS = {
    "random": (RNG.normal(0, 2, (450, 5)), RNG.integers(5, size=450)),
    "ties": (RNG.integers(0, 3, (300, 3)), RNG.integers(3, size=300)),
    "saturated": (RNG.normal(0, 60, (200, 4)), RNG.integers(4, size=200)),
    "huge": (RNG.normal(0, 1e300, (60, 4)), RNG.integers(4, size=60)),
    "float32": (RNG.normal(0, 4, (300, 4)).astype(np.float32), RNG.integers(4, size=300)),
    "constant": (np.tile([2.0, 0.0, 0.0], (120, 1)), RNG.integers(3, size=120)),
    "all right": (
        RNG.normal(0, 1, (130, 3)) + 5 * np.eye(3)[np.arange(130) % 3],
        np.arange(130) % 3,
    ),
    "all wrong": (
        RNG.normal(0, 0.1, (130, 3)) + 5 * np.eye(3)[np.arange(130) % 3],
        (np.arange(130) + 1) % 3,
    ),
    "one class missing": (RNG.normal(0, 2, (150, 3)), RNG.integers(2, size=150)),
    "one": (np.array([[1.0, 0.5, 0.0]]), np.array([0])),
    "two": (np.array([[1.0, 0.5, 0.0], [0.0, 3.0, 1.0]]), np.array([2, 1])),
}
CASES = {name: predictions(*case) for name, case in LOGITS.items()}
