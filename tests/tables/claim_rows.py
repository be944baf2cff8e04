"""Rows of a detection table, and the claims judged on them."""

import pandas as pd

from oecal.study import claim_entries
from oecal.tables.claims import COLUMNS, judge_claims

VARIANTS = {
    "oe_gain": [["", ["a", "m", "oe_scratch"]], ["-a-m-oe", ["a", "m", "oe"]]],
    "roc": [["", ["a", "m"]], ["-b-m", ["b", "m"]]],
}


def rows(training, values, score="msp", ood="x", kind="far", metric="auroc"):
    who = {
        "in_dist": "a",
        "model": "m",
        "training": training,
        "score": score,
        "ood": ood,
        "kind": kind,
    }
    return [{**who, "seed": seed, metric: value} for seed, value in enumerate(values)]


def judged(folder, content, given, **options):
    """The rows of claims.csv by name, of entries that share a detection.csv of these rows."""
    common = {"statement": "s", "table": "detection", "value": "auroc"}
    path = folder / "detection.csv"
    pd.DataFrame(given).to_csv(path, index=False)
    filled = {}
    for name, one in content.items():
        own = {"in_dist": "a", "model": "m", "training": "oe", **one.get("where", {})}
        filled[name] = claim_entries.parse_claim(f"claims.{name}", {**common, **one, "where": own})
    found = judge_claims(filled, {"detection": str(path)}, VARIANTS, **options)
    assert list(found.columns) == COLUMNS
    return found.set_index("claim")


CLEAR, VAGUE = [0.10, 0.11, 0.12], [-0.1, 0.0, 0.2]
