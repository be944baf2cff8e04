"""The verdict of a study in a line: does Outlier Exposure help calibration?"""

from __future__ import annotations

from oecal.figures.sentences import Tables
from oecal.metrics.seed_intervals import mean_interval
from oecal.report.oe_pairs import Pair, format_change, select_calibration, split_classifiers


def list_image_verdicts(tables: Tables, pair: Pair, name: str, falls: bool) -> list[bool]:
    """Return for each training with OE whether the ECE clearly falls (or rises) over test images.

    It does if the bootstrap interval of the change lies below (or above) 0.
    """
    if "intervals" not in tables:
        return []
    table = tables["intervals"]
    rows = pair.rows(
        table[(table["metric"] == "ece") & (table["post_hoc"] == "none") & (table["set"] == name)],
        pair.oe,
    )
    return list(rows["difference_high"] < 0 if falls else rows["difference_low"] > 0)


def judge_calibration(tables: Tables, pair: Pair, name: str) -> tuple[str, str]:
    """Judge the change of the ECE as trained: better, worse or undecided; and give the numbers.

    Judged by the interval over seeds; with one seed by the interval over images.
    """
    before, after = pair.both(select_calibration(tables, "none", name), "ece")
    mean, half = mean_interval((after - before).to_numpy())
    aside = list_image_verdicts(tables, pair, name, mean < 0)
    sure = abs(mean) > half if len(before) > 1 else any(aside)
    numbers = (
        f"{100 * before.mean():.1f} → {100 * after.mean():.1f}%, {format_change(after - before)}"
    )
    if aside:
        numbers += (
            f" (over images the interval lies {'below' if mean < 0 else 'above'} 0 "
            f"in {sum(aside)} of {len(aside)} trainings)"
        )
    return ("better" if mean < 0 else "worse") if sure else "undecided", numbers


def write_verdict(tables: Tables) -> tuple[str, str]:
    """Write the answer in a line, and its numbers: ECE on the pool and on ID images alone."""
    own, _ = split_classifiers(tables)
    if not own:
        return (
            "This study cannot say.",
            "It has no classifier that is trained with outliers as well as without.",
        )
    rows = {name: own.rows(select_calibration(tables, "none", name)) for name in ("pooled", "id")}
    judged = {name: judge_calibration(tables, own, name) for name in rows if len(rows[name])}
    words = [word for word, _ in judged.values()]
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
    line = f"{head}: {', '.join(f'{word} {there[name]}' for name, (word, _) in judged.items())}."
    share = (
        100 * (1 - rows["id"]["n"].mean() / rows["pooled"]["n"].mean()) if "pooled" in judged else 0
    )
    where = {
        "pooled": f"ECE on the pool, {share:.0f}% OOD",
        "id": "ECE on in-distribution images alone",
    }
    return line, " ".join(f"{where[name]}: {numbers}." for name, (_, numbers) in judged.items())
