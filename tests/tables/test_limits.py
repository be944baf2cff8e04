"""limits.csv: every verdict, paired by seed, and what is missing."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t

from oecal.tables import limits
from oecal.tables.limits import compute_table

SEEDS = (0, 1, 2)
NOISE = {0: -0.01, 1: 0.0, 2: 0.01}  # of a seed, the same for all trainings: pairing takes it away
SETTING = {
    "factor": "f",
    "setting": "s",
    "in_dist": "a",
    "model": "m",
    "training": "oe",
    "control": "baseline",
}


def run(training, seed):
    return {"in_dist": "a", "model": "m", "training": training, "seed": seed}


@pytest.fixture
def tables():
    """FPR95 and Mahalanobis change nowhere.

    Of MSP, far gets better by 0.1 and 0.3, near worse by 0.2, synthetic by as much either way.
    """
    detection, calibration, attacks, trainings = [], [], [], []
    for training, oe in (("baseline", 0), ("oe", 1)):
        for seed in SEEDS:
            aurocs = {
                ("x", "far"): 0.5 + 0.1 * oe,
                ("y", "far"): 0.5 + 0.3 * oe,
                ("z", "near"): 0.8 - 0.2 * oe,
                ("w", "synthetic"): 0.6 + oe * (-0.1, 0, 0.1)[seed],
            }
            for (ood, kind), auroc in aurocs.items():
                same = {**run(training, seed), "ood": ood, "kind": kind, "fpr95": 0.4}
                detection += [
                    {**same, "score": "msp", "auroc": auroc + NOISE[seed]},
                    {**same, "score": "mahalanobis", "auroc": 0.7},
                ]
            eces = {
                "id": 0.02 + 0.03 * oe,
                "pooled": 0.2 - 0.1 * oe,
                "blur-1": 0.1,
                "blur-3": 0.3 - 0.1 * oe,
                "moved": 9,
            }
            for place, ece in eces.items():
                for post_hoc in ("none", "temperature"):
                    calibration.append(
                        {
                            **run(training, seed),
                            "post_hoc": post_hoc,
                            "set": place,
                            "ece": ece + NOISE[seed],
                            "rms": ece,
                            "accuracy": 0.9 - 0.01 * oe + NOISE[seed],
                        }
                    )
            for attack, levels, auroc in (
                ("none", 0, 0.9),
                ("fgsm", 8, 0.6),
                ("pgd", 8, 0.2 + 0.1 * oe),
                ("random", 8, 0.8),
            ):
                same = {**run(training, seed), "attack": attack, "levels": levels, "score": "msp"}
                attacks += [
                    {**same, "set": "x", "role": "far", "auroc": auroc},
                    {**same, "set": "a", "role": "id", "auroc": 0.01},
                ]
            budget = {"images": 300, "outlier_images": 150 * oe, "init": np.nan}
            trainings.append({**run(training, seed), **budget})
            trainings.append(
                {**run(f"{training}_tune", seed), **budget, "images": 100, "init": "baseline"}
            )
    rows = {
        "detection": detection,
        "calibration": calibration,
        "attacks": attacks,
        "trainings": trainings,
    }
    return {name: pd.DataFrame(content) for name, content in rows.items()}


@pytest.fixture
def found(tables, tmp_path):
    def compute(*settings, **others):
        for name, content in (tables | others).items():
            content.to_csv(tmp_path / f"{name}.csv", index=False)
        return compute_table(
            **{name: str(tmp_path / f"{name}.csv") for name in tables},
            settings=settings or [SETTING],
        )

    return compute


def at(rows, measure, kind="", ood=""):
    (row,) = rows[
        (rows["measure"] == measure) & (rows["kind"] == kind) & (rows["ood"] == ood)
    ].to_dict("records")
    return row


def test_each_verdict(found):
    rows = found()
    assert list(rows.columns) == limits.COLUMNS
    expected = {
        ("auroc_msp", "far"): (0.2, "helps"),
        ("auroc_msp", "near"): (-0.2, "hurts"),
        ("auroc_msp", "synthetic"): (0.0, "nothing"),
        ("auroc_msp", "attack"): (0.1, "helps"),
        ("fpr95_msp", "far"): (0.0, "nothing"),
        ("auroc_mahalanobis", "far"): (0.0, "nothing"),
        ("accuracy", "id"): (-0.01, "hurts"),
        ("ece", "id"): (0.03, "hurts"),
        ("rms", "id"): (0.03, "hurts"),
        ("ece", "pooled"): (-0.1, "helps"),
        ("ece_temperature", "pooled"): (-0.1, "helps"),
        ("ece", "corruption"): (-0.05, "helps"),
        ("images", ""): (150, "hurts"),
    }
    for where, (difference, verdict) in expected.items():
        row = at(rows, *where)
        assert row["difference"] == pytest.approx(difference)
        assert (row["verdict"], row["n"]) == (verdict, 3), where


def test_of_each_set(found):
    rows = found()
    assert at(rows, "auroc_msp", "far", "x")["difference"] == pytest.approx(0.1)
    assert at(rows, "auroc_msp", "far", "y")["difference"] == pytest.approx(0.3)


def test_the_interval_is_that_of_the_paired_differences(found):
    row = at(found(), "auroc_msp", "synthetic")
    half = t.ppf(0.975, 2) * 0.1 / np.sqrt(3)
    assert (row["low"], row["high"]) == pytest.approx((-half, half))
    row = at(found(), "auroc_msp", "far")
    assert (row["low"], row["high"]) == pytest.approx((0.2, 0.2))  # what seeds share is gone
    assert (row["value"], row["control_value"]) == pytest.approx((0.7, 0.5))


def test_pairs_are_of_one_seed_whatever_the_order(found, tables):
    shuffled = tables["detection"].sample(frac=1, random_state=0)
    assert at(found(detection=shuffled), "auroc_msp", "far")["high"] == pytest.approx(0.2)


def test_a_seed_that_one_lacks_is_left_out(found, tables):
    few = tables["detection"]
    few = few[(few["training"] == "oe") | (few["seed"] > 0)]
    row = at(found(detection=few), "auroc_msp", "far")
    assert row["n"] == 2
    assert row["control_value"] == pytest.approx(0.5 + 0.005)


def test_one_seed_gives_no_verdict(found, tables):
    row = at(found(detection=tables["detection"].query("seed == 0")), "auroc_msp", "far")
    assert (row["n"], row["verdict"], row["difference"]) == (1, "nothing", pytest.approx(0.2))
    assert np.isnan(row["low"])


def test_measures_that_a_study_lacks_have_no_rows(found, tables):
    none = pd.DataFrame([{**run("oe", 0), "set": "none", "n": 0}]).reindex(
        columns=tables["attacks"].columns
    )
    rows = found(
        attacks=none, calibration=tables["calibration"][tables["calibration"]["set"] != "pooled"]
    )
    assert not set(rows["kind"]) & {"attack", "pooled"}
    assert len(found({**SETTING, "training": "no"})) == 0


def test_the_price_counts_the_training_that_it_started_from(found, tables):
    tuned = {**SETTING, "training": "oe_tune", "control": "baseline_tune"}
    row = at(found(tuned), "images")
    assert (row["value"], row["control_value"]) == (300 + 100 + 150, 300 + 100)
    lost = tables["trainings"][tables["trainings"]["training"] != "baseline"]
    assert not (found(tuned, trainings=lost)["measure"] == "images").any()
