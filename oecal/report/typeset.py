"""The tables of results as LaTeX (booktabs) and Markdown, for a thesis."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pandas as pd

from oecal.report.claim_rows import format_claims
from oecal.report.summary_formats import Summary
from oecal.report.summary_tables import summarize_results

LONG = 40
CLAIMS = ["statement", "criterion", "estimate", "interval", "n", "p_holm", "verdict"]
SPECIAL = {
    **{c: f"\\{c}" for c in "&%$#_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "±": r"$\pm$",
    "→": r"$\to$",
    "–": "--",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
}


def collect_tables(tables: Mapping[str, pd.DataFrame]) -> list[Summary]:
    """Collect the tables of results, and the claims, if the study makes any."""
    summaries = summarize_results(tables)
    if "claims" in tables:
        claimed = pd.DataFrame(format_claims(tables["claims"], "", ()))
        for column in ("criterion", "estimate", "interval"):
            claimed[column] = (claimed[column] + " " + claimed["unit"]).where(
                claimed[column] != "", ""
            )
        note = "Estimate: mean over n trainings, 95% interval (Student t); p corrected (Holm)."
        summaries.append(Summary("claims", "claims", "Claims", note, claimed[CLAIMS]))
    return summaries


def escape_latex(value: object) -> str:
    """Escape a cell for LaTeX; a minus before a digit becomes a minus sign."""
    text = "".join(SPECIAL.get(character, character) for character in str(value))
    return re.sub(r"(?<![\w.])-(?=\d)", "$-$", text)


def format_latex(summary: Summary) -> str:
    """Format a table as LaTeX with caption and label, for the packages booktabs and longtable.

    longtable is used for more than LONG rows.
    """
    table, long = summary.table, len(summary.table) > LONG
    header, *body = (
        " & ".join(map(escape_latex, row)) + r" \\"
        for row in [list(table), *table.to_numpy().tolist()]
    )
    columns = "".join(choose_alignment(table[column].astype(str)) for column in table)
    caption = rf"\caption{{{escape_latex(summary.title)}. {escape_latex(summary.note)}}}"
    label = rf"\label{{tab:{summary.name}}}"
    lines = [
        r"\toprule",
        header,
        r"\midrule",
        *([r"\endhead"] if long else []),
        *body,
        r"\bottomrule",
    ]
    if long:
        lines = [
            rf"\begin{{longtable}}{{{columns}}}",
            caption,
            label + r"\\",
            *lines,
            r"\end{longtable}",
        ]
    else:
        inside = [rf"\begin{{tabular}}{{{columns}}}", *lines, r"\end{tabular}"]
        lines = [r"\begin{table}", r"\centering", caption, label, *inside, r"\end{table}"]
    return "\n".join(lines) + "\n"


def choose_alignment(cells: pd.Series) -> str:
    """Align numbers right, words left, and sentences in a column of a fixed width."""
    if cells.str.match(r"-?\d|$").all():
        return "r"
    return r"p{.4\linewidth}" if cells.str.len().max() > 40 else "l"


def format_markdown(summary: Summary) -> str:
    """Format title, note and a pipe table."""
    header, *body = (
        [re.sub(r"([|*_<`\\])", r"\\\1", str(cell)) for cell in row]
        for row in [list(summary.table), *summary.table.to_numpy().tolist()]
    )
    lines = [header, ["---"] * len(header), *body]
    return f"**{summary.title}.** {summary.note}\n\n" + "".join(
        f"| {' | '.join(line)} |\n" for line in lines
    )
