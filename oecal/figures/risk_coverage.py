"""Risk-coverage curves: the error rate if the most uncertain inputs are rejected.

On ID alone, and with OOD.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from oecal.figures.sentences import Tables, format_over_seeds
from oecal.figures.style import display_name, draw_band, make_panels, style_curve
from oecal.metrics.selective_metrics import risk_coverage
from oecal.runs.run_files import read_run
from oecal.tables.selective import collect_errors_and_scores

SECTION = "rejection"
TITLE = "risk-coverage"
FOR = ("classifier",)
CAPTION = (
    "Error rate among the accepted inputs if the inputs with the highest uncertainty are "
    "rejected; line: mean, band: range over seeds; dotted: the best possible order. Right: OOD "
    "images are mixed in, and accepting one is an error."
)
GRID = np.linspace(0.02, 1, 99)
TITLES = {"id": "ID alone", "pooled": "pooled with OOD (accepted OOD: an error)"}


def collect_data(
    outputs: Sequence[str], scores: Sequence[str], score: str, ood_ratio: float
) -> pd.DataFrame:
    """Return one row per run, set (id, pooled) and point: coverage (the grid), risk, best.

    Further columns: training, seed, score. best: the oracle's risk.
    """
    parts = []
    for output, scored in zip(outputs, scores, strict=True):
        key = read_run(scored, score).key
        for name_of_set, (errors, values) in collect_errors_and_scores(
            output, scored, ood_ratio
        ).items():
            _, risk = risk_coverage(values[score], errors)
            _, best = risk_coverage(errors, errors)
            at = np.ceil(GRID * len(risk) - 1e-9).astype(int) - 1
            columns = {
                "training": key["training"],
                "seed": key["seed"],
                "set": name_of_set,
                "score": score,
            }
            parts.append(
                pd.DataFrame({**columns, "coverage": GRID, "risk": risk[at], "best": best[at]})
            )
    return pd.concat(parts, ignore_index=True)


def draw_figure(data: pd.DataFrame) -> Figure:
    """Draw a panel for ID and one for the pool: selective risk, %, by coverage.

    A band over seeds; dotted: the best order of the same errors.
    """
    figure, axes = make_panels(1, 2, 2.9)
    for ax, key in zip(axes[0], TITLES, strict=True):
        for n, (training, part) in enumerate(
            data[data["set"] == key].groupby("training", sort=False)
        ):
            risk = part.pivot(index="coverage", columns="seed", values="risk") * 100
            best = part.groupby("coverage")["best"].mean() * 100
            draw_band(ax, risk.set_axis(100 * risk.index), n, label=display_name(str(training)))
            ax.plot(100 * best.index, best, color=style_curve(n)["color"], lw=0.5, ls=":")
        ax.set(title=TITLES[key], xlabel="coverage: inputs accepted, %", xlim=(0, 100))
        ax.set_ylim(bottom=0)
    axes[0][0].set_ylabel("selective risk: errors among accepted, %")
    axes[0][0].legend(
        title=f"score: {display_name(data['score'].iloc[0])}; dotted: best possible",
        loc="upper left",
    )
    return figure


def describe_figure(tables: Tables) -> list[str]:
    """Give the AURC of the first score."""
    selective = tables["selective"]
    first = (
        selective[selective["score"] == selective["score"].iloc[0]] if len(selective) else selective
    )
    parts = first.groupby(["training", "set"], sort=False)
    return [
        f"{training}, {display_name}: AURC {format_over_seeds(part['aurc'])}%."
        for (training, display_name), part in parts
    ]
