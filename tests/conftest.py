"""What several tests use."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # tests run side by side; one thread each is faster

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

# How long an example takes says something about the machine, nothing about the code.
settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any machine")

ROOT = Path(__file__).parent.parent


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)
