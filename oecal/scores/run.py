"""The scoring job of one run: all configured scores of all evaluated sets, into one HDF5 file."""

from __future__ import annotations

import importlib
import logging
from collections.abc import Sequence

import h5py
import numpy as np

from oecal.errors import OecalError
from oecal.files import replacing
from oecal.results import RUN, read
from oecal.scores.catalogue import scores


def run(outputs: str, names: Sequence[str], path: str) -> None:
    """Writes `/{set}/{split}/{score}` (N,) float64, higher = more anomalous. Raises OecalError if a score is not finite."""
    source = read(outputs)
    own = {f"{g.split}_{n}": values for g in source.groups if g.role == "id" for n, values in g.arrays.items()}
    with replacing(path) as temporary, h5py.File(temporary, "w") as file:
        order = [f"{g.set}/{g.split}" for g in source.groups]
        file.attrs.update({name: source.key[name] for name in RUN}, kind=source.kind, dims=source.dims, order=order)
        for place, group in zip(order, source.groups, strict=True):
            target = file.create_group(place, track_order=True)  # scores stay in the configuration's order
            target.attrs["role"] = group.role
            for name in names:
                score = scores()[name]
                function = getattr(importlib.import_module(score.module), name)
                values = np.asarray(function(**{n: {**own, **group.arrays}[n] for n in score.needs}), dtype=np.float64)
                if not np.isfinite(values).all():
                    raise OecalError(f"scores: {name} of {place} has values that are not finite; leave this score out for this model")
                target.create_dataset(name, data=values, track_times=False)
            logging.info("%s: %s", place, ", ".join(names))
