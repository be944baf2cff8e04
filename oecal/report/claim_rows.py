"""`claims.csv` for readers: numbers as text, criteria in words, the command that rebuilds the figure of a claim."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import pandas as pd


def shown(value: float, unit: str) -> str:
    """A number of a table for readers, without its unit: a fraction in percent.

    a dash if there is none.

    >>> shown(0.1234, "fraction"), shown(2.5, "bits/dim"), shown(math.nan, "nats")
    ('12.3', '2.50', '–')
    """
    if math.isnan(value):
        return "–"
    scale, places = (100, 1) if unit == "fraction" else (1, 2)
    return f"{round(value * scale, places) + 0.0:.{places}f}"  # + 0.0: no -0.0


def expected(row: Mapping[Any, Any]) -> str:
    """The criterion of a row for readers: `above 50`, `within 5 ± 1`, without the unit."""
    scale = 100 if row["unit"] == "fraction" else 1
    than, margin = (f"{scale * row[key]:g}" for key in ("than", "margin"))
    return f"{row['is']} {than} ± {margin}" if row["is"] == "within" else f"{row['is']} {than}"


def rows(
    table: pd.DataFrame, study: str, figures: Collection[str], configfiles: Sequence[str] = ()
) -> list[dict[str, str]]:
    """`claims.csv` for the report, a row for each claim, numbers as text.

    figures: names of the figures on the page, which a claim may be linked to (`link`, or '');
    command: rebuilds the figure, of a study that needs these files after --configfile.
    """
    found = []
    for row in table.assign(figure=table["figure"].astype(object).fillna("")).to_dict("records"):
        unit, files = row["unit"], " ".join(["--configfile", *configfiles]) if configfiles else ""
        low, high = (shown(row[key], unit) for key in ("ci_low", "ci_high"))
        call = ["snakemake --cores 1", files, f"results/{study}/figures/{row['figure']}.pdf"]
        found.append(
            {
                "claim": row["claim"],
                "statement": row["statement"],
                "statistic": row["statistic"],
                "criterion": expected(row),
                "unit": "%" if unit == "fraction" else unit,
                "estimate": shown(row["estimate"], unit),
                "interval": "" if math.isnan(row["ci_low"]) else f"{low} to {high}",
                "n": str(row["n"]),
                "p": p_text(row["p"]),
                "p_holm": p_text(row["p_holm"]),
                "effect": shown(row["effect"], ""),
                "verdict": row["verdict"],
                "link": row["figure"] if row["figure"] in figures else "",
                "command": " ".join(part for part in call if part) if row["figure"] else "",
            }
        )
    return found


def p_text(p: float) -> str:
    """A p-value for readers, three digits at most; a dash for nan.

    >>> p_text(0.0004), p_text(0.04)
    ('< 0.001', '0.040')
    """
    return "–" if math.isnan(p) else "< 0.001" if p < 0.001 else f"{p:.3f}"
