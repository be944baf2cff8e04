"""`trainings.csv`: how each run was trained: objective, outliers, recipe."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pandas as pd

from oecal.runs.run_files import read_run


def compute_table(outputs: Sequence[str]) -> pd.DataFrame:
    """One row per run, read from its outputs.

    options: of the objective, `name=value; ...`; outliers: the auxiliary sets that could be had;
    alike: OOD sets that are drawn like one of them; precision: of the evaluation; steps, images and
    outlier_images: the budget, of this training alone, without that of its `init`; train_images:
    the limit of different ID images, 0 for none; label_noise: the share of wrong labels; then the
    loop's recipe.
    """
    rows = []
    for path in outputs:
        run = read_run(path, "none")
        about = run.attributes
        configuration = json.loads(about["configuration"])
        objective = configuration["objective"]
        chosen = "; ".join(f"{name}={value}" for name, value in objective["options"].items())
        more = {
            "architecture": configuration["model"]["architecture"],
            "parameters": int(about["parameters"]),
        }
        more |= {"objective": objective["name"], "options": chosen, "init": configuration["init"]}
        more |= {name: about[name] for name in ("outliers", "alike", "precision")}
        steps, recipe = int(about["steps"]), configuration["recipe"]
        more |= {"steps": steps, "images": steps * recipe["batch_size"]}
        more |= {
            name: configuration.get(name, 0) for name in ("train_images", "label_noise")
        }  # runs of before had neither
        more["outlier_images"] = steps * recipe["outlier_batch_size"] if about["outliers"] else 0
        rows.append({**run.key, **more, **recipe})
    return pd.DataFrame(rows)
