"""The answer of a study in five sentences and a verdict, computed from its tables.

Outlier Exposure (OE) means here: of each model the first training with auxiliary outliers, against
the model's first training, within a seed. The sentences speak of the study's first classifier and
first density model that have both, and say how many of the others agree.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import pandas as pd

from oecal.core.roles import OOD
from oecal.figures.sentences import format_over_seeds
from oecal.metrics.seed_intervals import mean_interval
from oecal.tables.promises import WHOLE

Tables = Mapping[str, pd.DataFrame]


class Pair(NamedTuple):
    """A model's first training, and its first one with outliers; '' if there is none."""

    in_dist: str
    model: str
    first: str
    oe: str

    @property
    def name(self) -> str:
        """In-distribution set and model as readers see them: `fashion/wrn`."""
        return f"{self.in_dist}/{self.model}"

    def rows(self, table: pd.DataFrame, training: str = "") -> pd.DataFrame:
        """The model's rows of a table, of one training."""
        own = table[(table["in_dist"] == self.in_dist) & (table["model"] == self.model)]
        return own[own["training"] == training] if training else own

    def both(self, table: pd.DataFrame, value: str) -> tuple[pd.Series, pd.Series]:
        """Before and after: the mean of `value` of each seed that both trainings have.

        a row of `table` for each set.
        """
        before, after = (
            self.rows(table, training).groupby("seed")[value].mean().dropna()
            for training in (self.first, self.oe)
        )
        seeds = before.index.intersection(after.index)
        return before[seeds], after[seeds]


def pairs(tables: Tables) -> list[Pair]:
    """Of each in-distribution set and model, in the study's order."""
    table = tables["trainings"]
    table = table[table["objective"] != "background"]
    found = []
    for (in_dist, model), rows in table.groupby(["in_dist", "model"], sort=False):
        others = rows[rows["outliers"].notna() & (rows["training"] != rows["training"].iloc[0])][
            "training"
        ]
        found.append(
            Pair(
                str(in_dist),
                str(model),
                rows["training"].iloc[0],
                others.iloc[0] if len(others) else "",
            )
        )
    return found


def chosen(tables: Tables, table: str) -> list[Pair]:
    """The pairs that have rows in this table, those with OE first."""
    return sorted(
        (pair for pair in pairs(tables) if len(pair.rows(tables[table]))),
        key=lambda pair: not pair.oe,
    )


def signed(change: pd.Series, percent: bool = True) -> str:
    """The mean over seeds with its half-width, always with a sign: `+2.1 ± 0.4 points`."""
    text = format_over_seeds(change, percent) + (" points" if percent else "")
    return text if text.startswith("-") else "+" + text


def moved(before: pd.Series, after: pd.Series, percent: bool = True) -> str:
    """`falls from 13.5 to 4.2% (-9.3 ± 2.1 points)`.

    Where the interval of the change covers 0, `changes unclearly`.
    """
    mean, half = mean_interval((after - before).to_numpy())
    verb = (
        "changes unclearly" if abs(mean) <= half or mean == 0 else "rises" if mean > 0 else "falls"
    )
    scale, digits, unit = (100, 1, "%") if percent else (1, 2, "")
    ends = f"from {scale * before.mean():.{digits}f} to {scale * after.mean():.{digits}f}{unit}"
    return f"{verb} {ends} ({signed(after - before, percent)})"


def calibration_of(tables: Tables, post_hoc: str, name: str) -> pd.DataFrame:
    """The rows of `calibration` after one post-hoc method (`none`: as trained), on one of its sets (`id`, `pooled`, ...)."""
    table = tables["calibration"]
    return table[(table["post_hoc"] == post_hoc) & (table["set"] == name)]


def of_score(tables: Tables, score: str) -> pd.DataFrame:
    """The rows of `detection` of one score: a row for each run and OOD set."""
    return tables["detection"][tables["detection"]["score"] == score]


def below_chance(
    table: pd.DataFrame, pair: Pair, training: str
) -> tuple[dict[str, pd.Series], int]:
    """The sets with a mean AUROC below 50%, lowest first, with the AUROC of each seed.

    And how many sets there are.
    """
    rows = {
        str(name): part["auroc"]
        for name, part in pair.rows(table, training).groupby("ood", sort=False)
    }
    low = {name: values for name, values in rows.items() if values.mean() < 0.5}
    return dict(sorted(low.items(), key=lambda item: item[1].mean())), len(rows)


def paradox(tables: Tables) -> str:
    """On how many OOD sets the first training finds other images more likely, or is more confident of them, than of its own."""
    said = []
    for table, score, what in (
        ("likelihood", "log_likelihood", "more likely"),
        ("calibration", "msp", "with more confidence"),
    ):
        for pair in chosen(tables, table)[:1]:
            low, n = below_chance(of_score(tables, score), pair, pair.first)
            if n:
                worst = "".join(
                    f", lowest with {name}, {format_over_seeds(values)}%"
                    for name, values in list(low.items())[:1]
                )
                said.append(
                    f"{pair.name} sees {len(low)} of {n} OOD sets {what} than its own test images (AUROC below 50%{worst})"
                )
    return (
        f"Without outliers, {'; '.join(said)}."
        if said
        else "Neither a likelihood nor MSP is among this study's scores."
    )


def detection(tables: Tables) -> str:
    """The change of AUROC and FPR95 of MSP on each kind of OOD sets.

    Without a classifier, of the likelihood.
    """
    for table, score, called in (
        ("calibration", "msp", "MSP"),
        ("likelihood", "log_likelihood", "the likelihood"),
    ):
        rows = of_score(tables, score)
        for pair in [p for p in chosen(tables, table) if p.oe and len(p.rows(rows, p.oe))][:1]:
            kinds = [kind for kind in OOD if (pair.rows(rows)["kind"] == kind).any()]
            said = [
                [
                    f"{kind} {moved(*pair.both(rows[rows['kind'] == kind], metric))}"
                    for kind in kinds
                ]
                for metric in ("auroc", "fpr95")
            ]
            return f"With OE, the AUROC of {called} on OOD sets: {', '.join(said[0])}; its FPR95: {', '.join(said[1])}."
    return "No model of this study is trained with outliers as well as without, so it cannot say what OE does to detection."


def calibration(tables: Tables) -> str:
    """The change of ECE on the pool and on ID images alone, as trained and after temperature scaling; how many other models agree."""
    own, others = classifiers(tables)
    if not own:
        return "No classifier of this study is trained with outliers as well as without, so it cannot say what OE does to calibration."
    names, said = {"pooled": "on the pool", "id": "on in-distribution images alone"}, []
    for post_hoc, when in (
        ("none", "ECE as trained"),
        ("temperature", "after temperature scaling"),
    ):
        both = {name: own.both(calibration_of(tables, post_hoc, name), "ece") for name in names}
        parts = [
            f"{where} {moved(*both[name])}" for name, where in names.items() if len(both[name][0])
        ]
        said += [f"{when}: {', '.join(parts)}"] if parts else []
    agree = []
    for name, where in names.items():
        rows = calibration_of(tables, "none", name)
        signs = [
            change(pair, rows).mean() > 0 for pair in (own, *others) if len(change(pair, rows))
        ]
        agree += (
            [f"{signs[1:].count(signs[0])} of {len(signs) - 1} {where}"] if len(signs) > 1 else []
        )
    said += (
        [f"as trained, it moves the same way in other models: {', '.join(agree)}"] if agree else []
    )
    return f"With OE, {'; '.join(said)}."


def change(pair: Pair, rows: pd.DataFrame) -> pd.Series:
    """Of each seed of both trainings: mean ECE over these rows under OE minus that of the first training, a fraction."""
    before, after = pair.both(rows, "ece")
    return after - before


def classifiers(tables: Tables) -> tuple[Pair | None, list[Pair]]:
    """The first classifier with OE, and the others."""
    found = [pair for pair in chosen(tables, "calibration") if pair.oe]
    return (found[0], found[1:]) if found else (None, [])


def price(tables: Tables) -> str:
    """What OE costs: accuracy, recognising own errors, bits per dimension on ID images, images to train with."""
    said = []
    own, _ = classifiers(tables)
    densities = [pair for pair in chosen(tables, "likelihood") if pair.oe]
    if own:
        rows = calibration_of(tables, "none", "id")
        said.append(f"the accuracy of {own.name} {moved(*own.both(rows, 'accuracy'))}")
        before, after = (
            own.both(rows, "error_auroc")
            if "error_auroc" in rows
            else (pd.Series(dtype=float),) * 2
        )
        said += [f"the AUROC of its own errors {moved(before, after)}"] if len(before) else []
    for pair in densities[:1]:
        rows = tables["likelihood"]
        before, after = pair.both(rows[rows["set"] == pair.in_dist], "bpd_mean")
        said.append(
            f"the bits/dim of {pair.name} on its own test images {moved(before, after, percent=False)}"
        )
    if not said:
        return "What OE costs cannot be said without such a pair of trainings."
    spent = [
        int(pair.rows(tables["trainings"], pair.oe)["outlier_images"].iloc[0])
        for pair in ([own] if own else densities[:1])
    ]
    return f"The price: {', '.join(said)}; OE took {spent[0]:,} outlier images in each training."


def limits(tables: Tables) -> str:
    """Where OE does not help: sets below 50% still.

    What a score without outliers reaches; broken promises.
    """
    said = []
    for table, score, called in (
        ("calibration", "msp", "MSP"),
        ("likelihood", "log_likelihood", "the likelihood"),
    ):
        rows = of_score(tables, score)
        for pair in [p for p in chosen(tables, table) if p.oe and len(p.rows(rows, p.oe))][:1]:
            low, n = below_chance(rows, pair, pair.oe)
            which = ", ".join(
                f"{name} {format_over_seeds(values)}%" for name, values in list(low.items())[:3]
            )
            more = " (" + which + (", ..." if len(low) > 3 else "") + ")" if low else ""
            said.append(
                f"with OE, {called} of {pair.name} has an AUROC below 50% on {len(low)} of {n} OOD sets{more}"
            )
    own, _ = classifiers(tables)
    if own and len(own.rows(of_score(tables, "msp"), own.oe)):
        means = (
            own.rows(tables["detection"], own.first).groupby("score", sort=False)["auroc"].mean()
        )
        best = (
            own.rows(of_score(tables, str(means.idxmax())), own.first)
            .groupby("seed")["auroc"]
            .mean()
        )
        exposed = own.rows(of_score(tables, "msp"), own.oe).groupby("seed")["auroc"].mean()
        said.append(
            f"over all sets MSP reaches {format_over_seeds(exposed)}% with OE, the best of {len(means)} scores without it, "
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


def sentences(tables: Tables) -> list[str]:
    """The answer in five sentences."""
    return [paradox(tables), detection(tables), calibration(tables), price(tables), limits(tables)]


def over_images(tables: Tables, pair: Pair, name: str, falls: bool) -> list[bool]:
    """For each training with OE, whether the interval over test images (bootstrap) of the ECE's change lies below 0, or above."""
    if "intervals" not in tables:
        return []
    table = tables["intervals"]
    rows = pair.rows(
        table[(table["metric"] == "ece") & (table["post_hoc"] == "none") & (table["set"] == name)],
        pair.oe,
    )
    return list(rows["difference_high"] < 0 if falls else rows["difference_low"] > 0)


def judged(tables: Tables, pair: Pair, name: str) -> tuple[str, str]:
    """better, worse or undecided, by the interval over seeds of the ECE's change as trained, with one seed over images; and the numbers."""
    before, after = pair.both(calibration_of(tables, "none", name), "ece")
    mean, half = mean_interval((after - before).to_numpy())
    aside = over_images(tables, pair, name, mean < 0)
    sure = abs(mean) > half if len(before) > 1 else any(aside)
    numbers = f"{100 * before.mean():.1f} → {100 * after.mean():.1f}%, {signed(after - before)}"
    if aside:
        numbers += f" (over images the interval lies {'below' if mean < 0 else 'above'} 0 in {sum(aside)} of {len(aside)} trainings)"
    return ("better" if mean < 0 else "worse") if sure else "undecided", numbers


def verdict(tables: Tables) -> tuple[str, str]:
    """The answer in a line, and its numbers: ECE on the pool and on ID images alone."""
    own, _ = classifiers(tables)
    if not own:
        return (
            "This study cannot say.",
            "It has no classifier that is trained with outliers as well as without.",
        )
    rows = {name: own.rows(calibration_of(tables, "none", name)) for name in ("pooled", "id")}
    found = {name: judged(tables, own, name) for name in rows if len(rows[name])}
    words = [word for word, _ in found.values()]
    counts = words.count("better"), words.count("worse")
    head = (
        "It helps"
        if counts[0] == len(words)
        else "Partly"
        if counts[0]
        else "No"
        if counts[1]
        else "Undecided"
    )
    there = {"pooled": "where OOD images arrive", "id": "where none do"}
    line = f"{head}: {', '.join(f'{word} {there[name]}' for name, (word, _) in found.items())}."
    share = (
        100 * (1 - rows["id"]["n"].mean() / rows["pooled"]["n"].mean()) if "pooled" in found else 0
    )
    where = {
        "pooled": f"ECE on the pool, {share:.0f}% OOD",
        "id": "ECE on in-distribution images alone",
    }
    return line, " ".join(f"{where[name]}: {numbers}." for name, (_, numbers) in found.items())


def setting(tables: Tables) -> str:
    """Which trainings the answer compares, and with how many seeds."""
    named = [
        next(iter(p for p in chosen(tables, table) if p.oe), None)
        for table in ("calibration", "likelihood")
    ]
    said = []
    for pair in filter(None, named):
        n = pair.rows(tables["trainings"], pair.oe)["seed"].nunique()
        said.append(
            f"{pair.name}, {pair.oe} against {pair.first} (n = {n} {'trainings' if n > 1 else 'training: no interval'})"
        )
    return "; ".join(said)
