"""`hyperparameters.csv`: what each score's hyperparameters are, chosen on ID validation images against auxiliary outliers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import pandas as pd

from oecal.core import hdf5_files
from oecal.runs.run_files import RUN_COLUMNS, read_run
from oecal.scores.catalogue import find_score

COLUMNS = [*RUN_COLUMNS, "score", "hyperparameter", "value", "published", "grid"]


def compute_table(
    outputs: Sequence[str], scores: Sequence[str], options: Mapping[str, float]
) -> pd.DataFrame:
    """A row for each run, score and hyperparameter that was chosen.

    published: the default, which stays where there are no outliers.

    Of ODIN, eps is a place in `oecal.predict.repeated_passes.EPSILONS`, from 0.
    """
    rows = []
    for path in scores:
        key = read_run(path, "none").key
        with hdf5_files.reading(path) as file:
            chosen = json.loads(file.attrs["chosen"])
        for name, values in chosen.items():
            found = find_score(name)
            for option in found.grids:
                listed = " ".join(map(str, found.grids[option]))
                rows.append(
                    {
                        **key,
                        "score": name,
                        "hyperparameter": option,
                        "value": values[option],
                        "published": found.options[option],
                        "grid": listed,
                    }
                )
    return pd.DataFrame(rows, columns=COLUMNS)
