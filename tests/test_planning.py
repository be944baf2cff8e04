"""The page that says how long the full studies take."""

import re
import runpy
from pathlib import Path

import pytest

from oecal.study.loading import read

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs/planning.md").read_text()


@pytest.fixture(scope="module")
def planning():
    return runpy.run_path(str(ROOT / "docs/planning.py"))


def study(name):
    return read(ROOT / f"studies/{name}.yaml")


def test_images_of_published_and_made_sets(planning):
    cifar10, images = study("cifar10"), planning["count_images"]
    assert [images(cifar10, "cifar10", split) for split in ("train", "val", "test")] == [
        45000,
        5000,
        10000,
    ]
    assert images(cifar10, "cifar100_test", "test") == 2000
    assert images(cifar10, "gaussian_cifar10", "test") == 2000


def test_operations_of_a_wide_residual_network(planning):
    """WideResNet-40-2: 2.2 million parameters, about 0.33 billion multiplications per image.

    Source: Zagoruyko and Komodakis (2016).
    """
    operations, parameters, features = planning["network"](
        '{"architecture": "wrn", "options": {"depth": 40, "width": 2, "dropout": 0.3}}',
        (3, 32, 32),
        10,
    )
    assert parameters == pytest.approx(2.2e6, rel=0.03)
    assert operations == pytest.approx(3 * 2 * 0.33e9, rel=0.03)
    assert features == 128


def test_the_page_is_what_its_script_counts(planning):
    line = next(line for line in PAGE.splitlines() if line.startswith("| svhn |"))
    planning["row"].__globals__["count_jobs"] = lambda path: int(
        line.split("|")[2].replace(",", "")
    )
    assert planning["row"](ROOT / "studies/svhn.yaml") == line, "run make docs"


def test_the_page_has_all_full_studies():
    there = set(re.findall(r"(?m)^\| (\w+) \| [\d,]+", PAGE))
    assert there == {path.stem for path in (ROOT / "studies").glob("*.yaml")} - {
        "tiny",
        "own-images",
    }
