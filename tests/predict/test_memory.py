"""Out of memory: smaller batches with the same result, or what to set."""

import numpy as np
import pytest
import torch

from oecal.core.errors import OecalError
from oecal.models import wrn
from oecal.predict.memory import run_in_parts
from oecal.predict.outputs import predict_outputs
from oecal.training.loop import Data, TrainingTask, train
from oecal.training.recipe import Recipe
from tests.predict.same_outputs import assert_same_outputs

FULL = (
    "[enforce fail at alloc_cpu.cpp:124] . DefaultCPUAllocator: can't allocate memory: "
    "you tried to allocate 99 bytes."
)


def too_large(most, function, error):
    """The function, for at most so many images."""

    def limited(images):
        if len(images) > most:
            raise error
        return function(images)

    return limited


@pytest.mark.parametrize(
    "error", [torch.OutOfMemoryError("CUDA out of memory."), RuntimeError(FULL), MemoryError()]
)
@pytest.mark.parametrize("most", [1, 2, 5, 64])
def test_smaller_batches_give_the_same(most, error):
    images = torch.randint(0, 256, (37, 3)).float()  # sums are exact in any order
    found = run_in_parts(too_large(most, lambda x: {"a": 2 * x, "b": x.sum(dim=1)}, error), images)
    assert torch.equal(found["a"], 2 * images)
    assert torch.equal(found["b"], images.sum(dim=1))


def test_a_prediction_goes_on(monkeypatch, caplog, rng):
    model = wrn.build(wrn.Options(depth=10, width=1), (1, 8, 8), 3)
    images = rng.integers(0, 256, (70, 1, 8, 8), np.uint8)
    whole = predict_outputs(model, "classifier", images, torch.device("cpu"))
    monkeypatch.setattr(model, "features", too_large(20, model.features, RuntimeError(FULL)))
    found = predict_outputs(model, "classifier", images, torch.device("cpu"))
    assert_same_outputs(found, whole, 64)
    assert "out of memory with batches of 64 images" in caplog.text


def test_one_image_is_too_much_and_other_errors_are_themselves():
    with pytest.raises(OecalError, match="with a single image; use a smaller model"):
        run_in_parts(too_large(0, dict, MemoryError()), torch.rand(3, 2))
    with pytest.raises(RuntimeError, match="size mismatch"):
        run_in_parts(too_large(0, dict, RuntimeError("size mismatch")), torch.rand(3, 2))


@pytest.mark.parametrize(
    ("outliers", "line"),
    [(0, "batch_size 8; reduce it"), (5, "batch_size 8 and outlier_batch_size 4; reduce them")],
)
def test_a_training_says_what_to_set(tmp_path, outliers, line):
    def images(n):
        return torch.zeros(n, 1, 8, 8, dtype=torch.uint8)

    def full(model, *batch):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")

    recipe = Recipe(1, 0, 8, 4, "sgd", 0.1, 0.0, 0.9, 0.0, 0.0, 0, False)
    data = Data(
        images(16), torch.zeros(16).long(), images(outliers), images(4), torch.zeros(4).long()
    )
    model = wrn.build(wrn.Options(depth=10, width=1), (1, 8, 8), 3)
    with pytest.raises(OecalError, match=f"out of memory with {line}"):
        train(model, TrainingTask(full, data, recipe, seed=0), tmp_path, "f")
