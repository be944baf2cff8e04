"""`hyperparameters.csv`: each score's hyperparameters, chosen on ID validation images.

They are chosen against auxiliary outliers.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

import pandas as pd

from oecal.runs.run_files import RUN_COLUMNS, read_run
from oecal.scores.catalogue import find_score

COLUMNS = [*RUN_COLUMNS, "score", "hyperparameter", "value", "published", "grid"]


def compute_table(scores: Sequence[str]) -> pd.DataFrame:
    """One row per run, score and chosen hyperparameter.

    published: the default, which is kept if there are no outliers. For ODIN, eps is an index into
    `oecal.predict.repeated_passes.EPSILONS`.
    """
    rows = []
    for path in scores:
        run = read_run(path, "none")
        chosen = json.loads(run.attributes["chosen"])
        for name, values in chosen.items():
            definition = find_score(name)
            for option in definition.grids:
                listed = " ".join(map(str, definition.grids[option]))
                rows.append(
                    {
                        **run.key,
                        "score": name,
                        "hyperparameter": option,
                        "value": values[option],
                        "published": definition.options[option],
                        "grid": listed,
                    }
                )
    return pd.DataFrame(rows, columns=COLUMNS)
