"""Where Outlier Exposure helps, does nothing, hurts, for each OOD set: AUROC of MSP.

For the factor of auxiliary sets: which of them helps against which OOD set.
"""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from oecal.core.roles import OOD
from oecal.figures import limits as summary
from oecal.figures.style import display_name

SECTION = "limits"
TITLE = "limits, set by set"
FOR = ("classifier",)
PER = "study"  # one file for all models
NEEDS = "limits"  # a key of the study
CAPTION = (
    "The limits, set by set: difference of the AUROC of MSP on each OOD set (columns), OOD is "
    "the positive class, of each setting (rows, by factor) to its control. Percentage points, "
    "mean over seeds, paired by seed; coloured and bold where the 95% interval (Student t over "
    "seeds) excludes zero: blue helps, hatched vermilion hurts, the stronger the larger (below "
    "1, from 1, from 10 points). Empty: the set is not one of this setting's experiment. Where "
    "auxiliary and OOD images are of one kind, such as MNIST training images against MNIST test "
    "images, the gain is no evidence for what is unknown."
)


def collect_data(limits: str) -> pd.DataFrame:
    """Return one row per factor, setting and OOD set: difference of the AUROC of MSP, verdict.

    The kind of the set is the group; the difference is in percentage points.
    """
    table = summary.read_limits(limits)
    table = table[(table["measure"] == "auroc_msp") & (table["ood"] != "")]
    place = table["kind"].map(OOD.index)
    table = table.assign(
        group=table["kind"],
        column=table["ood"].map(display_name),
        place=place,
        difference=100 * table["difference"],
    )
    return table[summary.SHOWN].reset_index(drop=True)


def draw_figure(data: pd.DataFrame) -> Figure:
    """Draw as `limits` does, with a column per OOD set."""
    return summary.draw_figure(data)
