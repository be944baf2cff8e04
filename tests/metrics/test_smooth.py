"""Smooth ECE against its definition, evaluated directly, closed forms, and the authors' package."""

import numpy as np
import pytest

from oecal.metrics.calibration_metrics import confidence_metrics
from oecal.metrics.smooth import at_width, cosines, smooth_ece

# No random generator, so that the peer's numbers stay valid: multiples of irrational numbers,
# modulo 1.
CONFIDENCE = np.sqrt(np.arange(1, 1001) * 0.618033988749895 % 1)
CHANCE = np.arange(1, 1001) * 1.4142135623730951 % 1
CASES = {
    "calibrated": (CONFIDENCE, (CHANCE < CONFIDENCE).astype(float)),
    "over-confident": (CONFIDENCE, (CHANCE < CONFIDENCE**3).astype(float)),
    "wavy": (CONFIDENCE, (CONFIDENCE + 0.25 * np.sin(9 * CONFIDENCE) > CHANCE).astype(float)),
}
# relplot 1.0.3, the package of the paper's authors: smECE_sigma(c, y, sigma) for three widths, and
# smECE(c, y).
RELPLOT = {
    "calibrated": ([0.0147424, 0.0087932, 0.0059397], 0.0163641),
    "over-confident": ([0.2714116, 0.2708760, 0.2711491], 0.2716740),
    "wavy": ([0.1329187, 0.1228474, 0.0973366], 0.0980877),
}
WIDTHS = [0.02, 0.05, 0.1]


def direct(confidence, correct, sigma, points=4000):
    """The integral by the midpoint rule, the kernel by its mirror images within eight sigma."""
    t = (np.arange(points) + 0.5) / points
    total = np.zeros(points)
    for turn in range(-int(4 * sigma) - 1, int(4 * sigma) + 2):
        for place in (2 * turn + confidence, 2 * turn - confidence):
            for part in np.array_split(np.arange(len(confidence)), 10):
                total += (
                    np.exp(-(((t[:, None] - place[part]) / sigma) ** 2) / 2)
                    @ (confidence - correct)[part]
                )
    return np.abs(total).mean() / (len(confidence) * sigma * np.sqrt(2 * np.pi))


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("sigma", [0.02, 0.1, 0.5])
def test_equals_the_definition(name, sigma):
    assert at_width(cosines(*CASES[name]), sigma) == pytest.approx(
        direct(*CASES[name], sigma), abs=1e-6
    )


@pytest.mark.parametrize("name", CASES)
def test_is_the_fixed_point(name):
    found = smooth_ece(*CASES[name])
    assert direct(*CASES[name], found) == pytest.approx(found, abs=1e-6)
    assert confidence_metrics(*CASES[name])["smece"] == pytest.approx(found, abs=1e-12)


@pytest.mark.parametrize("name", CASES)
def test_equals_relplot_at_its_resolution(name):
    """Not to 1e-6: it takes the mean over 200 to 500 points that include both ends, normalises by
    an estimated density, cuts the kernel off at 0.5 (which tells from sigma = 0.2 on), and halves
    the interval ten times, so that its sigma is up to 1/1024 too large.
    """
    fixed, found = RELPLOT[name]
    coefficients = cosines(*CASES[name])
    np.testing.assert_allclose(
        [at_width(coefficients, sigma) for sigma in WIDTHS], fixed, atol=1e-3
    )
    assert smooth_ece(*CASES[name]) == pytest.approx(found, abs=1e-3)


@pytest.mark.parametrize(
    ("confidence", "accuracy"), [(0.0, 0.5), (0.3, 0.5), (0.9, 0.7), (1.0, 0.0), (0.0, 1.0)]
)
def test_constant_confidence(confidence, accuracy):
    """All residuals stand at one place: no width changes their mass, |c - y|."""
    correct = (np.arange(10) < 10 * accuracy).astype(float)
    coefficients = cosines(np.full(10, confidence), correct)
    for sigma in (0.0, 0.01, 0.3, 5.0):
        assert at_width(coefficients, sigma) == pytest.approx(abs(confidence - accuracy), abs=1e-12)
    assert smooth_ece(np.full(10, confidence), correct) == pytest.approx(
        abs(confidence - accuracy), abs=1e-11
    )


def test_calibrated_at_each_confidence_is_zero():
    assert smooth_ece(
        np.repeat([0.25, 0.5], 4), np.array([1.0, 0, 0, 0, 1, 1, 0, 0])
    ) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("sigma", [0.05, 0.2, 1.0])
def test_two_opposite_residuals_at_the_ends(sigma):
    """-1/2 at 0 and 1/2 at 1: the density is -2 sum over odd k of cos(pi k t), each term falls by
    exp(-(pi k sigma)^2 / 2), and the integral of the absolute value is twice that to 1/2.
    """
    k = np.arange(1, 2001, 2)
    expected = 4 * np.sum(
        np.exp(-((np.pi * k * sigma) ** 2) / 2) * np.sin(np.pi * k / 2) / (np.pi * k)
    )
    assert at_width(cosines(np.array([0.0, 1.0]), np.array([1.0, 0.0])), sigma) == pytest.approx(
        expected, abs=1e-6
    )


@pytest.mark.parametrize("name", CASES)
def test_falls_with_the_width_to_the_overall_gap(name):
    confidence, correct = CASES[name]
    coefficients = cosines(confidence, correct)
    found = [at_width(coefficients, sigma) for sigma in (0, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3)]
    assert (np.diff(found) <= 1e-12).all()
    assert found[0] <= np.abs(confidence - correct).mean() + 1e-12
    assert found[-1] == pytest.approx(abs((confidence - correct).mean()), abs=1e-9)
