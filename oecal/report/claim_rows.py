"""`claims.csv` for readers: numbers as text, criteria in words, commands of figures."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import pandas as pd


def format_number(value: float, unit: str) -> str:
    """Format a number without its unit: a fraction in percent, a dash if there is none.

    >>> format_number(0.1234, "fraction"), format_number(2.5, "bits/dim")
    ('12.3', '2.50')
    """
    if math.isnan(value):
        return "–"
    scale, places = (100, 1) if unit == "fraction" else (1, 2)
    return f"{round(value * scale, places) + 0.0:.{places}f}"  # + 0.0: no -0.0


def describe_criterion(row: Mapping[Any, Any]) -> str:
    """Describe the criterion of a row without its unit: `above 50`, `within 5 ± 1`."""
    scale = 100 if row["unit"] == "fraction" else 1
    than, margin = (f"{scale * row[key]:g}" for key in ("than", "margin"))
    return f"{row['is']} {than} ± {margin}" if row["is"] == "within" else f"{row['is']} {than}"


def format_claims(
    table: pd.DataFrame, study: str, figures: Collection[str], configfiles: Sequence[str] = ()
) -> list[dict[str, str]]:
    """Format `claims.csv` for the report, a row per claim with numbers as text.

    figures: names of the figures on the page, which a claim may be linked to (`link`, or '');
    command: rebuilds the figure, for a study that needs these files after --configfile.
    """
    rows = []
    for row in table.assign(figure=table["figure"].astype(object).fillna("")).to_dict("records"):
        unit, files = row["unit"], " ".join(["--configfile", *configfiles]) if configfiles else ""
        low, high = (format_number(row[key], unit) for key in ("ci_low", "ci_high"))
        call = ["snakemake --cores 1", files, f"results/{study}/figures/{row['figure']}.pdf"]
        rows.append(
            {
                "claim": row["claim"],
                "statement": row["statement"],
                "statistic": row["statistic"],
                "criterion": describe_criterion(row),
                "unit": "%" if unit == "fraction" else unit,
                "estimate": format_number(row["estimate"], unit),
                "interval": "" if math.isnan(row["ci_low"]) else f"{low} to {high}",
                "n": str(row["n"]),
                "p": format_p_value(row["p"]),
                "p_holm": format_p_value(row["p_holm"]),
                "effect": format_number(row["effect"], ""),
                "verdict": row["verdict"],
                "link": row["figure"] if row["figure"] in figures else "",
                "command": " ".join(part for part in call if part) if row["figure"] else "",
            }
        )
    return rows


def format_p_value(p: float) -> str:
    """Format a p-value with three digits at most; a dash for nan.

    >>> format_p_value(0.0004), format_p_value(0.04)
    ('< 0.001', '0.040')
    """
    return "–" if math.isnan(p) else "< 0.001" if p < 0.001 else f"{p:.3f}"
