"""The answer and the verdict: their numbers are those of the tables."""

import pandas as pd
import pytest

from oecal.report.answer import describe_setting, write_answer
from oecal.report.oe_pairs import list_pairs
from oecal.report.verdict import write_verdict
from tests.report.oe_study import CLASSIFIER, change, text, values


def test_the_answer_is_that_of_the_tables(tables):
    paradox, detection, calibration, price, limits = write_answer(tables)
    msp = {"in_dist": "a", "score": "msp"}
    assert "a/m sees 2 of 3 OOD sets with more confidence" in paradox
    assert (
        "lowest with z, "
        f"{text(values(tables['detection'], 'auroc', training='baseline', ood='z', **msp))}%"
        in paradox
    )
    for kind in ("near", "far"):
        assert text(change(tables["detection"], "auroc", kind=kind, **msp)) in detection
        assert text(change(tables["detection"], "fpr95", kind=kind, **msp)) in detection
    for name in ("id", "pooled"):
        for post_hoc in ("none", "temperature"):
            assert (
                text(change(tables["calibration"], "ece", set=name, post_hoc=post_hoc))
                in calibration
            )
    assert (
        "the accuracy of a/m shows no clear change from 90.0 to 90.0% (+0.0 ± 0.0 points)" in price
    )
    assert f"(+{text(change(tables['likelihood'], 'bpd_mean'), 2, 1)})" in price
    assert "1,600 outlier images" in price
    assert (
        "the best of 2 scores without it, knn, "
        f"{text(values(tables['detection'], 'auroc', training='baseline', score='knn'))}%" in limits
    )
    assert "the likelihood of b/d has an AUROC below 50% on 3 of 3 OOD sets" in limits
    assert (
        describe_setting(tables)
        == "a/m, oe against baseline (n = 3 trainings); b/d, oe against baseline (n = 3 trainings)"
    )


def test_the_verdict_can_come_out_either_way(tables):
    line, numbers = write_verdict(tables)
    assert line == "Partly: better where OOD images arrive, worse where none do."
    assert numbers.startswith("ECE on the pool, 20% OOD: 20.")
    assert "below 0 in 3 of 3 trainings" in numbers
    assert "above 0 in 0 of 3 trainings" in numbers
    swapped = tables["calibration"].replace({"training": {"oe": "baseline", "baseline": "oe"}})
    assert (
        write_verdict({**tables, "calibration": swapped})[0]
        == "Partly: worse where OOD images arrive, better where none do."
    )
    rows = tables["calibration"].assign(ece=lambda t: t["ece"].where(t["set"] != "id", t["seed"]))
    assert (
        write_verdict({**tables, "calibration": rows})[0]
        == "Partly: better where OOD images arrive, undecided where none do."
    )
    rows = tables["calibration"].assign(ece=lambda t: t["training"].eq("oe") * (1 + t["seed"] / 10))
    assert (
        write_verdict({**tables, "calibration": rows})[0]
        == "No: worse where OOD images arrive, worse where none do."
    )
    rows = tables["calibration"].assign(ece=lambda t: t["training"].ne("oe") * (1 + t["seed"] / 10))
    assert (
        write_verdict({**tables, "calibration": rows})[0]
        == "It helps: better where OOD images arrive, better where none do."
    )
    rows = tables["calibration"].assign(ece=lambda t: t["seed"])
    assert (
        write_verdict({**tables, "calibration": rows})[0]
        == "Undecided: undecided where OOD images arrive, undecided where none do."
    )


def test_one_seed_is_judged_over_images(tables):
    one = {
        name: table[table["seed"] == 0] if "seed" in table else table
        for name, table in tables.items()
    }
    assert (
        write_verdict(one)[0] == "Partly: better where OOD images arrive, undecided where none do."
    )
    assert not any("±" in sentence for sentence in write_answer(one))
    assert "n = 1 training: no interval" in describe_setting(one)


@pytest.mark.parametrize("lacks", ["classifier", "density", "oe", "intervals", "msp"])
def test_any_study_has_an_answer(tables, lacks):
    drop = {
        "classifier": lambda t: t[t["in_dist"] != "a"] if "in_dist" in t else t,
        "density": lambda t: t[t["in_dist"] != "b"] if "in_dist" in t else t,
        "oe": lambda t: t[t["training"] != "oe"] if "training" in t else t,
        "intervals": lambda t: t.iloc[:0] if "metric" in t else t,
        "msp": lambda t: (
            t[~t["score"].isin(["msp", "log_likelihood"])] if "score" in t and "auroc" in t else t
        ),
    }[lacks]
    found = {name: drop(table) for name, table in tables.items()}
    said = [*write_answer(found), *write_verdict(found)]
    assert len(said) == 7
    assert all(said)
    assert "nan" not in " ".join(said)
    assert (write_verdict(found)[0] == "This study cannot say.") == (lacks in ("classifier", "oe"))


def test_pairs(tables):
    more = pd.DataFrame(
        [
            {**CLASSIFIER, "training": "later", "seed": 0, "objective": "oe", "outliers": "x"},
            {
                "in_dist": "c",
                "model": "e",
                "training": "background",
                "seed": 0,
                "objective": "background",
                "outliers": None,
            },
            {
                "in_dist": "c",
                "model": "e",
                "training": "plain",
                "seed": 0,
                "objective": "baseline",
                "outliers": None,
            },
        ]
    )
    found = list_pairs({"trainings": pd.concat([tables["trainings"], more])})
    assert [tuple(pair) for pair in found] == [
        ("a", "m", "baseline", "oe"),
        ("b", "d", "baseline", "oe"),
        ("c", "e", "plain", ""),
    ]
