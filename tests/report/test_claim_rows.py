"""`claims.csv` for readers."""

import numpy as np
import pandas as pd
import pytest

from oecal.report import claim_rows
from tests.tables.claim_rows import CLEAR, judged, rows


def test_rows_of_the_report(tmp_path):
    content = {
        "far": {
            "where": {"ood": "x"},
            "minus": {"training": "baseline"},
            "is": "within",
            "margin": 0.2,
            "figure": "oe_gain",
        },
        "near": {"where": {"ood": "z"}, "is": "above", "than": 0.5, "figure": "roc"},
    }
    judged(
        tmp_path,
        content,
        rows("oe", CLEAR)
        + rows("oe", [0.7], ood="z")
        + rows("baseline", [0.1, 0.1, 0.1])
        + rows("baseline", [0.7], ood="z"),
    ).reset_index().to_csv(tmp_path / "claims.csv", index=False)
    far, near = claim_rows.format_claims(
        pd.read_csv(tmp_path / "claims.csv"), "s", ["oe_gain-a-m-oe"], ["studies/s.yaml"]
    )
    assert (far["criterion"], far["estimate"], far["unit"], far["n"], far["verdict"]) == (
        "within 0 ± 20",
        "1.0",
        "%",
        "3",
        "supported",
    )
    assert far["interval"] == "-1.5 to 3.5"
    assert far["link"] == "oe_gain-a-m-oe"
    assert (
        far["command"]
        == "snakemake --cores 1 --configfile studies/s.yaml results/s/figures/oe_gain-a-m-oe.pdf"
    )
    assert (near["criterion"], near["estimate"], near["interval"], near["p"]) == (
        "above 50",
        "70.0",
        "",
        "–",
    )
    assert (near["link"], near["command"].split()[-1]) == ("", "results/s/figures/roc.pdf")
    assert far["p"] == "< 0.001"


@pytest.mark.parametrize(
    "value, unit, expected",
    [
        (-0.0004, "fraction", "0.0"),
        (0.123, "fraction", "12.3"),
        (3.14159, "bits/dim", "3.14"),
        (np.nan, "fraction", "–"),
    ],
)
def test_numbers_for_readers(value, unit, expected):
    assert claim_rows.format_number(value, unit) == expected
