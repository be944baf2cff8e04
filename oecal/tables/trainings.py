"""`trainings.csv`: how each run was trained: objective, outliers, recipe."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import h5py
import pandas as pd

from oecal.results import read


def table(outputs: Sequence[str], scores: Sequence[str], options: Mapping[str, float]) -> pd.DataFrame:
    """A row for each run, from what its outputs say of it; `options` of the objective are `name=value; ...`, then the loop's recipe."""
    rows = []
    for path in outputs:
        key = read(path, "none").key
        with h5py.File(path) as file:
            configuration, parameters = json.loads(file.attrs["configuration"]), int(file.attrs["parameters"])
        objective, recipe = configuration["objective"], configuration["recipe"]
        chosen = "; ".join(f"{name}={value}" for name, value in objective["options"].items())
        more = {"architecture": configuration["model"]["architecture"], "parameters": parameters, "objective": objective["name"]}
        more |= {"options": chosen, "init": configuration["init"], "outliers": " ".join(configuration["outliers"])}
        rows.append({**key, **more, **recipe})
    return pd.DataFrame(rows)
