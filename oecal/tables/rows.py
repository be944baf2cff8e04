"""From rows to a table: the same for calibration, selective and likelihood, each of which is for one kind of model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from oecal.results import read


def frame(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], paths: Sequence[str]) -> pd.DataFrame:
    """A table of these rows. Where no run of the study has such a result, a row for each run says so: empty, set `none`, n = 0."""
    none = {"set": "none"} | ({"n": 0} if "n" in columns else {})
    return pd.DataFrame(list(rows) or [{**read(path, "").key, **none} for path in paths], columns=list(columns))
