"""`claims.csv`: each verdict can come out either way, and the numbers of a row."""

import numpy as np
import pytest

from oecal.core.errors import OecalError
from tests.tables.claim_rows import CLEAR, VAGUE, judged, rows

VERDICTS = [
    (CLEAR, "above", {}, "supported"),
    (CLEAR, "below", {}, "refuted"),
    (VAGUE, "above", {}, "undecided"),
    (VAGUE, "below", {}, "undecided"),
    (CLEAR, "above", {"than": 0.5}, "refuted"),
    (CLEAR, "below", {"than": 0.5}, "supported"),
    (CLEAR, "above", {"than": 0.11}, "undecided"),
    (CLEAR, "within", {"margin": 0.2}, "supported"),
    (CLEAR, "within", {"margin": 0.01}, "refuted"),
    (CLEAR, "within", {"margin": 0.11}, "undecided"),
    (CLEAR, "within", {"margin": 0.02, "than": 0.115}, "undecided"),
    (CLEAR, "within", {"margin": 0.1, "than": 0.1}, "supported"),
    ([-v for v in CLEAR], "within", {"margin": 0.01}, "refuted"),
    ([0.2] * 3, "above", {}, "supported"),
    ([0.2] * 3, "below", {}, "refuted"),
    ([0.2] * 3, "above", {"than": 0.2}, "undecided"),
    ([0.2] * 3, "within", {"margin": 0.2}, "undecided"),
    ([0.2] * 3, "within", {"margin": 0.3}, "supported"),
    ([0.2] * 3, "within", {"margin": 0.1}, "refuted"),
    ([0.2], "above", {}, "undecided"),
    ([0.2, np.nan, 0.2], "above", {}, "undecided"),
]


@pytest.mark.parametrize("values, side, more, expected", VERDICTS)
def test_each_verdict_can_come_out_either_way(tmp_path, values, side, more, expected):
    given = rows("oe", values)
    assert judged(tmp_path, {"x": {"is": side, **more}}, given).loc["x", "verdict"] == expected


def test_numbers_of_a_row(tmp_path):
    """Paired within the seed, OOD sets in equal parts: changes of 0.1, 0.2, 0.3."""
    before, after = [0.1, 0.5, 0.3], [0.2, 0.7, 0.6]
    given = [
        row
        for ood, shift in (("x", 0.0), ("y", 0.1))
        for row in rows("oe", [v + shift for v in after], ood=ood)
    ]
    given += [
        row
        for ood, shift in (("x", 0.0), ("y", 0.1))
        for row in rows("baseline", [v + shift for v in before], ood=ood)
    ]
    given += rows("oe", [0.9] * 3, ood="z", kind="near") + rows("oe", [0.9] * 3, score="energy")
    content = {
        "x": {
            "where": {"kind": "far", "score": "msp"},
            "minus": {"training": "baseline"},
            "is": "above",
            "figure": "oe_gain",
        }
    }
    found = judged(tmp_path, content, given[::-1]).loc["x"]
    half = 4.302652729696142 * 0.1 / np.sqrt(3)  # t_2(0.975), from a table
    np.testing.assert_allclose(
        [found[k] for k in ("estimate", "ci_low", "ci_high")],
        [0.2, 0.2 - half, 0.2 + half],
        atol=1e-10,
    )
    np.testing.assert_allclose(found["effect"], 2.0, rtol=1e-10)
    np.testing.assert_allclose(
        found["p"], 1 - np.sqrt(12 / 14), rtol=1e-9
    )  # two degrees of freedom: p = 1 - t / sqrt(2 + t^2), t^2 = 12
    assert found["p_holm"] == found["p"]
    assert found["n"] == 3
    assert found["statistic"] == "AUROC of MSP; oe minus baseline; a/m; far"
    assert (found["figure"], found["unit"], found["is"], found["than"]) == (
        "oe_gain-a-m-oe",
        "fraction",
        "above",
        0,
    )


def test_one_seed_has_an_estimate_and_no_interval(tmp_path):
    found = judged(tmp_path, {"x": {"is": "above"}}, rows("oe", [0.7])).loc["x"]
    assert (found["estimate"], found["n"], found["verdict"]) == (0.7, 1, "undecided")
    assert found[["ci_low", "ci_high", "p", "p_holm", "effect"]].isna().all()


def test_the_family_decides(tmp_path):
    """p = 0.02 alone; beside nine claims that say nothing it is not enough."""
    values = [0.10, 0.15, 0.18]
    alone = judged(tmp_path, {"x": {"is": "above"}}, rows("oe", values)).loc["x"]
    assert 0.02 < alone["p"] < 0.05
    assert alone["verdict"] == "supported"
    others = {f"c{n}": {"is": "above", "where": {"ood": "y"}} for n in range(9)}
    family = judged(
        tmp_path,
        {"x": {"is": "above", "where": {"ood": "x"}}, **others},
        rows("oe", values) + rows("oe", VAGUE, ood="y"),
    )
    assert family.loc["x", "p"] == alone["p"]
    np.testing.assert_allclose(family.loc["x", "p_holm"], 10 * alone["p"], rtol=1e-12)
    assert family.loc["x", "verdict"] == "undecided"


def test_rounding_decides_nothing(tmp_path):
    """0.1 + 0.2 - 0.3 is not 0 in floating point."""
    given = rows("oe", [0.1 + 0.2] * 2) + rows("baseline", [0.3] * 2)
    found = judged(tmp_path, {"x": {"minus": {"training": "baseline"}, "is": "above"}}, given).loc[
        "x"
    ]
    assert (found["estimate"], found["verdict"]) == (0, "undecided")


def test_a_difference_of_columns(tmp_path):
    given = [{**row, "fpr95": row["auroc"] / 2} for row in rows("oe", [0.2, 0.4, 0.6])]
    found = judged(tmp_path, {"x": {"value": "auroc - fpr95", "is": "above"}}, given).loc["x"]
    np.testing.assert_allclose(found["estimate"], 0.2)
    assert found["statistic"] == "AUROC minus FPR95; training oe; a/m"


def test_truth_is_a_share(tmp_path):
    given = rows("oe", [True, False, True], metric="kept")
    found = judged(tmp_path, {"x": {"value": "kept", "is": "above"}}, given).loc["x"]
    np.testing.assert_allclose(found["estimate"], 2 / 3)


@pytest.mark.parametrize(
    "one, message",
    [
        (
            {"where": {"score": "mps"}},
            "claims.x.where.score: unknown name 'mps'; did you mean 'msp'? Known names: msp",
        ),
        (
            {"where": {"kind": "near"}},
            "claims.x.where.kind: unknown name 'near'. Known names: far",
        ),
        (
            {"minus": {"training": "b"}},
            "claims.x.minus.training: unknown name 'b'. Known names: oe, one_seed",
        ),
        (
            {"minus": {"training": "one_seed"}},
            "claims.x.minus: its rows have the seeds [0], but those of where have [0, 1, 2]",
        ),
        ({"value": "score"}, "claims.x.value: score holds 'msp'; use a column of numbers"),
    ],
)
def test_what_no_row_answers(tmp_path, one, message):
    given = rows("oe", CLEAR) + rows("one_seed", [0.1])
    with pytest.raises(OecalError) as caught:
        judged(tmp_path, {"x": {"is": "above", **one}}, given)
    assert str(caught.value).startswith(message)


def test_a_set_that_may_be_missing(tmp_path):
    """Without all of its rows a claim is undecided; with some, it is about these."""
    content = {
        "some": {"where": {"ood": ["x", "y"]}, "is": "above"},
        "none": {"where": {"ood": "y"}, "is": "above"},
    }
    found = judged(tmp_path, content, rows("oe", CLEAR), may_be_missing=["y"])
    assert found["n"].tolist() == [3, 0]
    assert found["verdict"].tolist() == ["supported", "undecided"]
    assert np.isnan(found.loc["none", "estimate"])
    with pytest.raises(OecalError, match="unknown name 'y'"):
        judged(tmp_path, content, rows("oe", CLEAR))
