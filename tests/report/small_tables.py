"""Hand-made tables of a small study."""

import pandas as pd

RUN = {"in_dist": "a", "model": "m"}


def tables():
    detection = pd.DataFrame(
        [
            {
                **RUN,
                "training": t,
                "seed": s,
                "ood": o,
                "kind": "near",
                "score": "msp",
                "auroc": a + s / 100,
                "fpr95": 1 - a,
            }
            for s in (0, 1)
            for t, o, a in (
                ("baseline", "x", 0.4),
                ("baseline", "y", 0.9),
                ("oe", "x", 0.8),
                ("oe", "y", 0.9),
            )
        ]
    )
    calibration = pd.DataFrame(
        [
            {
                **RUN,
                "training": "oe",
                "seed": s,
                "post_hoc": "none",
                "set": n,
                "ece": 0.1,
                "rms": 0.1,
                "accuracy": 0.9,
                "mean_confidence": 0.8,
            }
            for s in (0, 1)
            for n in ("id", "pooled", "blur-1", "blur-2")
        ]
    )
    selective = pd.DataFrame(
        [
            {
                **RUN,
                "training": "oe",
                "seed": s,
                "score": "msp",
                "set": "id",
                "aurc": 0.02,
                "augrc": 0.01,
            }
            for s in (0, 1)
        ]
    )
    likelihood = pd.DataFrame(
        columns=["in_dist", "model", "training", "seed", "set", "bpd_mean", "bpd_sd", "n"]
    )
    trainings = pd.DataFrame(
        [{**RUN, "training": t, "objective": t} for t in ("baseline", "oe", "background")]
    )
    return {
        "detection": detection,
        "calibration": calibration,
        "selective": selective,
        "likelihood": likelihood,
        "trainings": trainings,
    }
