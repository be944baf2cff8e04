"""One image has one prediction: at any place of a batch of any size, on any processor."""

import os
import subprocess
import sys

import numpy as np
import pytest
import torch

from oecal.core.device import move_model
from oecal.models import pixelcnn, wrn
from oecal.predict.outputs import predict_outputs
from tests.predict.same_outputs import assert_same_outputs

CPU = torch.device("cpu")
SHAPE = (1, 8, 8)
SIZES = [1, 2, 3, 5, 8, 9, 31, 64]
OTHER_PROCESSORS = [
    {"ATEN_CPU_CAPABILITY": "default", "ONEDNN_MAX_CPU_ISA": "SSE41", "MKL_CBWR": "COMPATIBLE"},
    {"ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX", "MKL_CBWR": "AVX"},
]


def random_images(n):
    return np.random.default_rng(0).integers(0, 256, (n, *SHAPE), np.uint8)


def outputs_of(kind, images, channels_last=True):
    """The outputs of a network that the seed alone decides."""
    torch.manual_seed(0)
    if kind == "density":
        model = pixelcnn.build(pixelcnn.Options(8, 1, 2, 3), SHAPE, 0)
    else:
        model = wrn.build(wrn.Options(10, 1, 0.0), SHAPE, 9)
        model(torch.rand(32, *SHAPE))  # batch-norm statistics
    move_model(model, CPU, channels_last)
    return predict_outputs(model, kind, images, CPU, classes=8)


@pytest.mark.parametrize("channels_last", [False, True])
@pytest.mark.parametrize("kind", ["classifier", "density"])
def test_the_place_in_a_batch_and_its_size_do_not_matter(kind, channels_last):
    image = random_images(1)
    expected = outputs_of(kind, image.repeat(64, axis=0), channels_last)
    first = {name: values[:1] for name, values in expected.items()}
    for size in SIZES:
        found = outputs_of(kind, image.repeat(size, axis=0), channels_last)
        assert_same_outputs(found, {k: v.repeat(size, axis=0) for k, v in first.items()}, 64)


@pytest.mark.parametrize("kind", ["classifier", "density"])
def test_the_images_beside_it_do_not_matter(kind):
    images = random_images(70)
    whole = outputs_of(kind, images)
    for index in ([69, 3, 40], [5]):
        found = outputs_of(kind, images[index])
        assert_same_outputs(found, {k: v[index] for k, v in whole.items()}, 64)
    changed = outputs_of(kind, 255 - images)
    with pytest.raises(AssertionError):
        assert_same_outputs(changed, whole, 64)


@pytest.mark.parametrize("processor", OTHER_PROCESSORS, ids=lambda p: p["ONEDNN_MAX_CPU_ISA"])
def test_the_processor_does_not_matter(processor, tmp_path):
    """The instruction sets of older ones, in a process of their own: libraries choose once."""
    code = (
        "import sys, numpy; from tests.predict import test_same_outputs as t\n"
        "for kind in ('classifier', 'density'):\n"
        "    numpy.savez(f'{sys.argv[1]}/{kind}.npz', **t.outputs_of(kind, t.random_images(70)))"
    )
    environment = os.environ | processor | {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    subprocess.run([sys.executable, "-c", code, tmp_path], env=environment, check=True)
    for kind in ("classifier", "density"):
        with np.load(tmp_path / f"{kind}.npz") as found:
            assert_same_outputs(dict(found), outputs_of(kind, random_images(70)), 64)
