"""The answer of a study in five sentences, computed from its tables.

They are about the study's first classifier and first density model that are trained with Outlier
Exposure (OE) as well as without, and say how many of the others agree.
"""

from __future__ import annotations

import pandas as pd

from oecal.core.roles import OOD
from oecal.figures.sentences import Tables, format_over_seeds
from oecal.report.oe_pairs import (
    Pair,
    compute_ece_change,
    describe_change,
    select_calibration,
    select_pairs,
    select_score,
    split_classifiers,
)
from oecal.tables.promises import WHOLE


def find_sets_below_chance(
    table: pd.DataFrame, pair: Pair, training: str
) -> tuple[dict[str, pd.Series], int]:
    """Find the sets with a mean AUROC below 50%, lowest first, and count all sets.

    The AUROC is given for each seed.
    """
    rows = {
        str(name): part["auroc"]
        for name, part in pair.rows(table, training).groupby("ood", sort=False)
    }
    low = {name: values for name, values in rows.items() if values.mean() < 0.5}
    return dict(sorted(low.items(), key=lambda item: item[1].mean())), len(rows)


def describe_paradox(tables: Tables) -> str:
    """Describe on how many OOD sets the first training goes wrong.

    It finds their images more likely than its own test images, or is more confident of them.
    """
    said = []
    for table, score, what in (
        ("likelihood", "log_likelihood", "more likely"),
        ("calibration", "msp", "with more confidence"),
    ):
        for pair in select_pairs(tables, table)[:1]:
            low, n = find_sets_below_chance(select_score(tables, score), pair, pair.first)
            if n:
                worst = "".join(
                    f", lowest with {name}, {format_over_seeds(values)}%"
                    for name, values in list(low.items())[:1]
                )
                said.append(
                    f"{pair.name} sees {len(low)} of {n} OOD sets {what} than its own test images "
                    f"(AUROC below 50%{worst})"
                )
    return (
        f"Without outliers, {'; '.join(said)}."
        if said
        else "Neither a likelihood nor MSP is among this study's scores."
    )


def describe_detection(tables: Tables) -> str:
    """Describe the change of AUROC and FPR95 of MSP on each kind of OOD sets.

    Without a classifier, of the likelihood.
    """
    for table, score, called in (
        ("calibration", "msp", "MSP"),
        ("likelihood", "log_likelihood", "the likelihood"),
    ):
        rows = select_score(tables, score)
        for pair in [p for p in select_pairs(tables, table) if p.oe and len(p.rows(rows, p.oe))][
            :1
        ]:
            kinds = [kind for kind in OOD if (pair.rows(rows)["kind"] == kind).any()]
            said = [
                [
                    f"{kind} {describe_change(*pair.both(rows[rows['kind'] == kind], metric))}"
                    for kind in kinds
                ]
                for metric in ("auroc", "fpr95")
            ]
            return (
                f"With OE, the AUROC of {called} on OOD sets: {', '.join(said[0])}; "
                f"its FPR95: {', '.join(said[1])}."
            )
    return (
        "No model of this study is trained with outliers as well as without, "
        "so it cannot say what OE does to detection."
    )


def describe_calibration(tables: Tables) -> str:
    """Describe the change of ECE on the pool and on ID images alone.

    As trained and after temperature scaling, and how many other models agree.
    """
    own, others = split_classifiers(tables)
    if not own:
        return (
            "No classifier of this study is trained with outliers as well as without, "
            "so it cannot say what OE does to calibration."
        )
    names, said = {"pooled": "on the pool", "id": "on in-distribution images alone"}, []
    for post_hoc, when in (
        ("none", "ECE as trained"),
        ("temperature", "after temperature scaling"),
    ):
        both = {name: own.both(select_calibration(tables, post_hoc, name), "ece") for name in names}
        parts = [
            f"{where} {describe_change(*both[name])}"
            for name, where in names.items()
            if len(both[name][0])
        ]
        said += [f"{when}: {', '.join(parts)}"] if parts else []
    agree = []
    for name, where in names.items():
        rows = select_calibration(tables, "none", name)
        signs = [
            compute_ece_change(pair, rows).mean() > 0
            for pair in (own, *others)
            if len(compute_ece_change(pair, rows))
        ]
        agree += (
            [f"{signs[1:].count(signs[0])} of {len(signs) - 1} {where}"] if len(signs) > 1 else []
        )
    said += (
        [f"as trained, it moves the same way in other models: {', '.join(agree)}"] if agree else []
    )
    return f"With OE, {'; '.join(said)}."


def describe_price(tables: Tables) -> str:
    """Describe what OE costs.

    Accuracy, recognising its own errors, bits per dimension on ID images, images to train with.
    """
    said = []
    own, _ = split_classifiers(tables)
    densities = [pair for pair in select_pairs(tables, "likelihood") if pair.oe]
    if own:
        rows = select_calibration(tables, "none", "id")
        said.append(f"the accuracy of {own.name} {describe_change(*own.both(rows, 'accuracy'))}")
        before, after = (
            own.both(rows, "error_auroc")
            if "error_auroc" in rows
            else (pd.Series(dtype=float),) * 2
        )
        said += (
            [f"the AUROC of its own errors {describe_change(before, after)}"] if len(before) else []
        )
    for pair in densities[:1]:
        rows = tables["likelihood"]
        before, after = pair.both(rows[rows["set"] == pair.in_dist], "bpd_mean")
        said.append(
            f"the bits/dim of {pair.name} on its own test images "
            f"{describe_change(before, after, percent=False)}"
        )
    if not said:
        return "What OE costs cannot be said without such a pair of trainings."
    spent = [
        int(pair.rows(tables["trainings"], pair.oe)["outlier_images"].iloc[0])
        for pair in ([own] if own else densities[:1])
    ]
    return f"The price: {', '.join(said)}; OE took {spent[0]:,} outlier images in each training."


def describe_limits(tables: Tables) -> str:
    """Describe where OE does not help.

    Sets still below 50%, what a score without outliers reaches, broken promises.
    """
    said = []
    for table, score, called in (
        ("calibration", "msp", "MSP"),
        ("likelihood", "log_likelihood", "the likelihood"),
    ):
        rows = select_score(tables, score)
        for pair in [p for p in select_pairs(tables, table) if p.oe and len(p.rows(rows, p.oe))][
            :1
        ]:
            low, n = find_sets_below_chance(rows, pair, pair.oe)
            which = ", ".join(
                f"{name} {format_over_seeds(values)}%" for name, values in list(low.items())[:3]
            )
            more = " (" + which + (", ..." if len(low) > 3 else "") + ")" if low else ""
            said.append(
                f"with OE, {called} of {pair.name} has an AUROC below 50% "
                f"on {len(low)} of {n} OOD sets{more}"
            )
    own, _ = split_classifiers(tables)
    if own and len(own.rows(select_score(tables, "msp"), own.oe)):
        means = (
            own.rows(tables["detection"], own.first).groupby("score", sort=False)["auroc"].mean()
        )
        best = (
            own.rows(select_score(tables, str(means.idxmax())), own.first)
            .groupby("seed")["auroc"]
            .mean()
        )
        exposed = own.rows(select_score(tables, "msp"), own.oe).groupby("seed")["auroc"].mean()
        said.append(
            f"over all sets MSP reaches {format_over_seeds(exposed)}% with OE, "
            f"the best of {len(means)} scores without it, "
            f"{means.idxmax()}, {format_over_seeds(best)}%"
        )
    if own and "promises" in tables:
        promises = tables["promises"]
        made = promises[promises["set"].isin(WHOLE) & promises["threshold"].notna()]
        kept = [own.rows(made, training)["kept"].astype(bool) for training in (own.first, own.oe)]
        if all(map(len, kept)):
            without, with_oe = (f"{one.sum()} of {len(one)}" for one in kept)
            said.append(
                f"thresholds keep their promise in {without} cases without, {with_oe} with OE"
            )
    return (
        f"The limits: {'; '.join(said)}."
        if said
        else "Where OE does not help cannot be said without such a pair of trainings."
    )


def write_answer(tables: Tables) -> list[str]:
    """Write the answer in five sentences."""
    return [
        describe_paradox(tables),
        describe_detection(tables),
        describe_calibration(tables),
        describe_price(tables),
        describe_limits(tables),
    ]


def describe_setting(tables: Tables) -> str:
    """Describe which trainings the answer compares, and with how many seeds."""
    named = [
        next(iter(p for p in select_pairs(tables, table) if p.oe), None)
        for table in ("calibration", "likelihood")
    ]
    said = []
    for pair in filter(None, named):
        n = pair.rows(tables["trainings"], pair.oe)["seed"].nunique()
        said.append(
            f"{pair.name}, {pair.oe} against {pair.first} "
            f"(n = {n} {'trainings' if n > 1 else 'training: no interval'})"
        )
    return "; ".join(said)
