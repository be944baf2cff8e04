"""`claims.csv`: the study's claims, tested over its seeds: supported, refuted or undecided."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from oecal.core.components import explain_unknown
from oecal.core.errors import OecalError
from oecal.metrics.seed_intervals import mean_interval
from oecal.metrics.significance import cohens_d, difference, equivalence, holm, t_test
from oecal.study.claim_entries import CLAIM_RUN, UNITS, Claim, find_figure, read_claims

COLUMNS = [
    "claim",
    "statement",
    "statistic",
    "estimate",
    "ci_low",
    "ci_high",
    "p",
    "verdict",
    "n",
    "p_holm",
    "effect",
    "is",
    "than",
    "margin",
    "unit",
    "figure",
]
ALPHA = 0.05
DIGITS = 12  # of a seed's number: what differs by rounding alone is the same
CAPITALS = (
    "auroc",
    "fpr95",
    "ece",
    "ace",
    "mce",
    "rms",
    "mad",
    "nll",
    "aurc",
    "eaurc",
    "augrc",
    "msp",
    "vim",
    "knn",
    "waic",
)

# figure -> suffix and subject of each of its files
FigureVariants = Mapping[str, Sequence[tuple[str, Sequence[str]]]]


def select_rows(
    rows: pd.DataFrame,
    side: Mapping[str, Sequence[object]],
    place: str,
    may_be_missing: Collection[str],
) -> pd.DataFrame:
    """Select the rows with one of the wanted values in each of the columns of a side.

    Raises OecalError for a value that no row has, unless it is a data set that may be missing, or a
    kind whose sets may be.
    """
    for column, wanted in side.items():
        for value in wanted:
            excused = value in may_be_missing or (column == "kind" and may_be_missing)
            if not excused and not (rows[column] == value).any():
                raise OecalError(
                    f"{place}.{column}: "
                    f"{explain_unknown(value, set(rows[column].dropna().map(str)))}"
                )
        rows = rows[rows[column].isin(wanted)]
    return rows


def compute_seed_values(
    rows: pd.DataFrame, claim: Claim, place: str, may_be_missing: Collection[str]
) -> np.ndarray:
    """Compute the claim's number for each seed, (n,); nan where a cell is empty.

    Raises OecalError if the seeds do not match.
    """
    numbers_of_sides: list[pd.Series] = []
    for key, side in zip(("where", "minus"), claim.sides, strict=False):
        part = select_rows(rows, side, f"{place}.{key}", may_be_missing)
        values = [part[column] for column in claim.terms]
        for column in values:
            if not (pd.api.types.is_numeric_dtype(column) or column.isna().all()):
                raise OecalError(
                    f"{place}.value: {column.name} holds {column.iloc[0]!r}; "
                    "use a column of numbers"
                )
        numbers = [column.astype(float) for column in values]
        one = numbers[0] if len(numbers) == 1 else numbers[0] - numbers[1]
        numbers_of_sides.append(one.groupby(part["seed"]).agg(lambda v: v.mean(skipna=False)))
    if not all(map(len, numbers_of_sides)):
        return np.zeros(0)  # what is missing has no number
    value, *others = numbers_of_sides
    for other in others:
        if list(value.index) != list(other.index):
            raise OecalError(
                f"{place}.minus: its rows have the seeds {[*other.index]}, "
                f"but those of where have {[*value.index]}; compare rows of the same seeds"
            )
        value = value - other
    return value.round(DIGITS).to_numpy()


def p_value(values: np.ndarray, claim: Claim) -> float:
    """Test a claim: `is` below or above by a two-sided t-test.

    `is` within: what the estimate suggests, that the mean is within the margin, or that it is not.
    """
    than, margin = claim.than, claim.margin or 0
    if claim.criterion != "within":
        return t_test(values, than)
    return (equivalence if len(values) and abs(values.mean() - than) < margin else difference)(
        values, margin, than
    )


def decide_verdict(values: np.ndarray, claim: Claim, p: float) -> str:
    """Return supported or refuted, as the estimate says, if the corrected p is at most 5%.

    Otherwise the claim is undecided; so it is with one seed, or where a seed has no number. If all
    seeds have the same number there is no test, and p is nan: then the estimate alone decides, and
    on the border the claim is undecided.
    """
    if len(values) < 2 or np.isnan(values).any():
        return "undecided"
    excess = round(float(values.mean()) - claim.than, DIGITS)
    inside = {
        "below": -excess,
        "above": excess,
        "within": round((claim.margin or 0) - abs(excess), DIGITS),
    }[claim.criterion]
    if inside == 0 or p > ALPHA:
        return "undecided"
    return "supported" if inside > 0 else "refuted"


def format_name(name: object, column: str = "value") -> str:
    """Format a metric or score for readers; other names stay as they are in the configuration."""
    if column not in ("value", "score"):
        return str(name)
    return str(name).upper() if name in CAPITALS else str(name).replace("_", " ")


def describe_statistic(claim: Claim) -> str:
    """Describe for readers what a claim's number is.

    Example: `FPR95 of MSP; oe_tune minus baseline; fashion/wrn; far`.
    """
    where, minus = claim.where, claim.minus
    value = " minus ".join(format_name(term) for term in claim.terms)
    score = where["score"][0] if len(where.get("score", [])) == 1 and "score" not in minus else ""
    parts = [f"{value} of {format_name(score)}" if score else value]
    if minus:
        own = (format_name(value, column) for column in minus for value in where[column])
        others = (format_name(less, column) for column, less in minus.items())
        parts.append(f"{', '.join(own)} minus {', '.join(others)}")
    parts += ["training " + str(where["training"][0])] if "training" not in minus else []
    parts.append("/".join(str(where[column][0]) for column in CLAIM_RUN[:2]))
    for column, values in where.items():
        if column not in (*CLAIM_RUN, *minus) and not (column == "score" and score):
            known = "" if column in ("kind", "ood", "set") else column.replace("_", " ") + " "
            parts.append(known + ", ".join(format_name(value, column) for value in values))
    return "; ".join(parts)


def compute_table(
    claims: str,
    claimed_tables: Sequence[str],
    figure_variants: FigureVariants,
    may_be_missing: Collection[str] = (),
) -> pd.DataFrame:
    """One row per claim.

    claims: path of the file of claims; claimed_tables: paths of the tables that they are about; for
    the other arguments see `judge_claims`.

    estimate: mean over the n seeds that have a number; nan if one has none. ci_low, ci_high: its
    Student t interval at 95%, of this claim alone; nan with one seed. p: `p_value`; p_holm:
    corrected over all claims of the study, which the verdict follows. effect: Cohen's d against
    `than`. unit: of estimate, interval, than and margin. Raises OecalError for a claim that no row
    answers.
    """
    tables = {Path(path).stem: path for path in claimed_tables}
    table = judge_claims(read_claims(claims), tables, figure_variants, may_be_missing)
    for name, verdict in zip(table["claim"], table["verdict"], strict=True):
        logging.info("%s: %s", name, verdict)
    return table


def judge_claims(
    claims: Mapping[str, Claim],
    tables: Mapping[str, str],
    figure_variants: FigureVariants,
    may_be_missing: Collection[str] = (),
) -> pd.DataFrame:
    """Judge claims by the tables that they are about, and return the table of verdicts.

    tables: paths by name; figure_variants: as in `oecal.study.claim_entries.find_figure`;
    may_be_missing: data sets that a study can spare.
    """
    frames = {name: pd.read_csv(path) for name, path in tables.items()}
    numbers = {
        name: compute_seed_values(frames[claim.table], claim, f"claims.{name}", may_be_missing)
        for name, claim in claims.items()
    }
    p = [p_value(numbers[name], claim) for name, claim in claims.items()]
    rows = []
    for (name, claim), raw, corrected in zip(claims.items(), p, holm(np.array(p)), strict=True):
        values = numbers[name]
        mean, half = mean_interval(values) if len(values) else (np.nan, np.nan)
        metric = str(claim.where.get("metric", claim.terms)[0])
        rows.append(
            {
                "claim": name,
                "statement": claim.statement,
                "statistic": describe_statistic(claim),
                "estimate": round(mean, DIGITS),
                "ci_low": round(mean - half, DIGITS),
                "ci_high": round(mean + half, DIGITS),
                "p": raw,
                "verdict": decide_verdict(values, claim, corrected),
                "n": int(np.count_nonzero(~np.isnan(values))),
                "p_holm": corrected,
                "effect": cohens_d(values, claim.than),
                "is": claim.criterion,
                "than": claim.than,
                "margin": np.nan if claim.margin is None else claim.margin,
                "unit": UNITS.get(metric, "fraction"),
                "figure": find_figure(claim, figure_variants),
            }
        )
    return pd.DataFrame(rows, columns=COLUMNS)
