"""The report's tables of results for a thesis: LaTeX (booktabs) and Markdown, percent, mean ± half-width of the 95% interval over seeds."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pandas as pd

from oecal.report.claim_rows import rows
from oecal.report.summary_tables import Summary, summaries

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


def typeset(tables: Mapping[str, pd.DataFrame]) -> list[Summary]:
    """The tables of results, and the claims, if the study makes any."""
    found = summaries(tables)
    if "claims" in tables:
        claimed = pd.DataFrame(rows(tables["claims"], "", ()))
        for column in ("criterion", "estimate", "interval"):
            claimed[column] = (claimed[column] + " " + claimed["unit"]).where(
                claimed[column] != "", ""
            )
        note = "Estimate: mean over n trainings, 95% interval (Student t); p corrected (Holm)."
        found.append(Summary("claims", "claims", "Claims", note, claimed[CLAIMS]))
    return found


def escaped(value: object) -> str:
    """A cell as LaTeX: each special character stands for itself, a minus before a digit is a minus."""
    text = "".join(SPECIAL.get(character, character) for character in str(value))
    return re.sub(r"(?<![\w.])-(?=\d)", "$-$", text)


def latex(summary: Summary) -> str:
    """With caption and label, for the packages booktabs and longtable, which is taken where there are more than LONG rows."""
    table, long = summary.table, len(summary.table) > LONG
    header, *body = (
        " & ".join(map(escaped, row)) + r" \\" for row in [list(table), *table.to_numpy().tolist()]
    )
    columns = "".join(alignment(table[column].astype(str)) for column in table)
    caption = rf"\caption{{{escaped(summary.title)}. {escaped(summary.note)}}}"
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


def alignment(cells: pd.Series) -> str:
    """Numbers right, words left, sentences in lines of a fixed width."""
    if cells.str.match(r"-?\d|$").all():
        return "r"
    return r"p{.4\linewidth}" if cells.str.len().max() > 40 else "l"


def markdown(summary: Summary) -> str:
    """Title, note and a pipe table."""
    header, *body = (
        [re.sub(r"([|*_<`\\])", r"\\\1", str(cell)) for cell in row]
        for row in [list(summary.table), *summary.table.to_numpy().tolist()]
    )
    lines = [header, ["---"] * len(header), *body]
    return f"**{summary.title}.** {summary.note}\n\n" + "".join(
        f"| {' | '.join(line)} |\n" for line in lines
    )
