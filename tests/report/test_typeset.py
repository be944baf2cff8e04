import re

import pandas as pd

from oecal.report.summary_formats import Summary
from oecal.report.typeset import collect_tables, escape_latex, format_latex, format_markdown
from oecal.study.claim_entries import parse_claim
from oecal.tables.claims import judge_claims


def summary(rows=1):
    table = pd.DataFrame(
        {"set": ["a_b | 50%"] * rows, "far": ["-1.0 ± 0.5"] * rows, "n": [3] * rows}
    )
    return Summary("detection", "detection_auroc", "Detection: AUROC", "Percent & more.", table)


def test_special_characters_stand_for_themselves():
    assert escape_latex("a_b & 5% ~ {x}") == r"a\_b \& 5\% \textasciitilde{} \{x\}"
    assert escape_latex(r"\up^2") == r"\textbackslash{}up\textasciicircum{}2"
    assert escape_latex("-1.0 ± 0.5") == r"$-$1.0 $\pm$ 0.5"
    assert escape_latex("far-OOD, blur-1, < 2") == r"far-OOD, blur-1, \textless{} 2"
    assert escape_latex(3) == "3"


def test_latex():
    text = format_latex(summary())
    assert r"\caption{Detection: AUROC. Percent \& more.}" in text
    assert r"\label{tab:detection_auroc}" in text
    assert r"\begin{tabular}{lrr}" in text
    assert r"a\_b | 50\% & $-$1.0 $\pm$ 0.5 & 3 \\" in text
    assert [text.count(rule) for rule in (r"\toprule", r"\midrule", r"\bottomrule")] == [1, 1, 1]
    begun, ended = (re.findall(rf"\\{word}{{(\w+)}}", text) for word in ("begin", "end"))
    assert begun == ended[::-1] == ["table", "tabular"]


def test_a_long_table_goes_over_pages():
    text = format_latex(summary(rows=41))
    assert r"\begin{longtable}{lrr}" in text
    assert text.count(r"\\") == 1 + 1 + 41  # label, header, rows
    assert r"\begin{table}" not in text


def test_markdown():
    title, empty, *lines = format_markdown(summary()).splitlines()
    assert (title, empty) == ("**Detection: AUROC.** Percent & more.", "")
    assert lines == [
        "| set | far | n |",
        "| --- | --- | --- |",
        r"| a\_b \| 50% | -1.0 ± 0.5 | 3 |",
    ]


def test_claims_are_there(tmp_path):
    run = {"in_dist": "a", "model": "m", "training": "t"}
    rows = pd.DataFrame(
        [
            {
                **run,
                "seed": s,
                "post_hoc": "none",
                "set": "id",
                "ece": 0.1 + s / 100,
                "rms": 0.1,
                "accuracy": 0.9,
                "mean_confidence": 0.8,
            }
            for s in range(3)
        ]
    )
    rows.to_csv(tmp_path / "calibration.csv", index=False)
    claim = parse_claim(
        "x",
        {
            "statement": "The error is above 5%, as everybody says.",
            "table": "calibration",
            "where": run,
            "value": "ece",
            "is": "above",
            "than": 0.05,
        },
    )
    detection = pd.DataFrame(columns=[*run, "seed", "ood", "kind", "score", "auroc", "fpr95"])
    tables = {
        "detection": detection,
        "calibration": rows,
        "selective": pd.DataFrame(),
        "likelihood": pd.DataFrame(),
    }
    tables["claims"] = judge_claims(
        {"high": claim}, {"calibration": str(tmp_path / "calibration.csv")}, {}
    )
    claims = next(table for table in collect_tables(tables) if table.name == "claims")
    assert claims.table.iloc[0].tolist()[1:] == [
        "above 5 %",
        "11.0 %",
        "8.5 to 13.5 %",
        "3",
        "0.009",
        "supported",
    ]
    assert r"p{.4\linewidth}" in format_latex(claims)
