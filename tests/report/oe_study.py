"""The tables of a small study with Outlier Exposure, and their numbers written out again."""

import numpy as np
import pandas as pd
from scipy import stats

SEEDS = (0, 1, 2)
CLASSIFIER, DENSITY = {"in_dist": "a", "model": "m"}, {"in_dist": "b", "model": "d"}


def runs(subject, trainings=("baseline", "oe")):
    return [(t, s, {**subject, "training": t, "seed": s}) for t in trainings for s in SEEDS]


def make_tables():
    """A classifier and a density model, both with Outlier Exposure.

    Its effect differs from seed to seed.
    """
    noise = np.random.default_rng(0).normal(0, 0.01, 1000).tolist()
    trainings = [
        {
            **run,
            "objective": t,
            "outliers": "letters" if t == "oe" else None,
            "outlier_images": 1600 * (t == "oe"),
            "parameters": 9,
            "epochs": 2,
        }
        for subject in (CLASSIFIER, DENSITY)
        for t, _, run in runs(subject)
    ]
    detection = [
        {
            **run,
            "ood": ood,
            "kind": kind,
            "score": score,
            "auroc": auroc + gain * (t == "oe") + noise.pop(),
            "ap_out": 0.5,
            "base_rate": 0.2,
            "fpr95": 0.9 - auroc / 2 - gain * (t == "oe") + noise.pop(),
        }
        for subject, scores in (
            (CLASSIFIER, {"msp": 0, "knn": 0.3}),
            (DENSITY, {"log_likelihood": -0.2}),
        )
        for t, _, run in runs(subject)
        for score, plus in scores.items()
        for ood, kind, auroc, gain in (
            ("x", "near", 0.6 + plus, 0),
            ("y", "far", 0.4 + plus, 0.2),
            ("z", "far", 0.3 + plus, 0.1),
        )
    ]
    calibration = [
        {
            **run,
            "post_hoc": p,
            "set": name,
            "accuracy": 0.9,
            "error_auroc": 0.8 + noise.pop(),
            "rms": 0.1,
            "mean_confidence": 0.8,
            "rms_official": 0.1,
            "mad": 0.1,
            "soft_f1": 0.5,
            "temperature": 1.5,
            "ece": ece + (t == "oe") * plus + noise.pop() / 10,
            "n": n,
        }
        for t, _, run in runs(CLASSIFIER)
        for p in ("none", "temperature")
        for name, ece, plus, n in (("id", 0.02, 0.03, 800), ("pooled", 0.2, -0.1, 1000))
    ]
    likelihood = [
        {**run, "set": "b", "bpd_mean": 3 + 0.5 * (t == "oe") + noise.pop(), "n": 9}
        for t, _, run in runs(DENSITY)
    ]
    selective = [
        {**run, "score": "msp", "set": "id", "aurc": 0.02, "augrc": 0.01}
        for _, _, run in runs(CLASSIFIER)
    ]
    sets = [{"name": "a", "split": "test", "n": 800, "sha256": "0", "source": "s", "missing": None}]
    intervals = [
        {
            **run,
            "post_hoc": "none",
            "set": name,
            "metric": "ece",
            "value": 0.1,
            "low": 0,
            "high": 1,
            "difference": 0.1 if t == "oe" else None,
            "difference_low": low if t == "oe" else None,
            "difference_high": high if t == "oe" else None,
        }
        for t, _, run in runs(CLASSIFIER)
        for name, low, high in (("id", -0.01, 0.04), ("pooled", -0.1, -0.05))
    ]
    found = {
        "trainings": trainings,
        "detection": detection,
        "calibration": calibration,
        "likelihood": likelihood,
        "selective": selective,
        "datasets": sets,
        "intervals": intervals,
    }
    return {name: pd.DataFrame(rows) for name, rows in found.items()}


def text(values, digits=1, scale=100):
    """`12.3 ± 4.5`, written out again."""
    values = scale * np.asarray(values)
    half = stats.sem(values) * stats.t.ppf(0.975, len(values) - 1)
    return f"{values.mean():.{digits}f} ± {half:.{digits}f}"


def values(table, column, **where):
    for name, value in where.items():
        table = table[table[name] == value]
    return table.groupby("seed")[column].mean()


def change(table, column, **where):
    return values(table, column, training="oe", **where) - values(
        table, column, training="baseline", **where
    )
