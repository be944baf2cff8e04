"""What the tests of figures share."""

import pytest

from oecal.figures import style


@pytest.fixture(autouse=True)
def closed():
    yield
    style.plt.close("all")


@pytest.fixture
def saved_twice(tmp_path):
    """Saves a figure twice; the bytes must be the same."""

    def save(module, data):
        for name in ("one", "two"):
            style.save_figure(
                module.draw_figure(data), tmp_path / f"{name}.pdf", tmp_path / f"{name}.png"
            )
        for kind in ("pdf", "png"):
            assert (tmp_path / f"one.{kind}").read_bytes() == (
                tmp_path / f"two.{kind}"
            ).read_bytes()

    return save
