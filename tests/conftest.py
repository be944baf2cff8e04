"""What several tests use."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # tests run side by side; one thread each is faster

from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)
