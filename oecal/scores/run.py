"""The scoring job of one run: all its scores of all evaluated sets, into one HDF5 file."""

from __future__ import annotations

import importlib
import logging
from collections.abc import Sequence

import h5py
import numpy as np

from oecal.errors import OecalError
from oecal.files import replacing
from oecal.results import RUN, Run, read
from oecal.scores.catalogue import COSTLY, score


def arrays_of(run: Run, prefix: str = "") -> dict[tuple[str, str], dict[str, np.ndarray]]:
    """The arrays of each (set, split), their names with a prefix."""
    return {(g.set, g.split): {prefix + name: values for name, values in g.arrays.items()} for g in run.groups}


def run(outputs: str, names: Sequence[str], path: str, statistics: str | None = None, background: str | None = None,
        seeds: Sequence[str] = ()) -> None:  # fmt: skip
    """Writes `/{set}/{split}/{score}`, float64, higher = more anomalous: (N,), or fewer where a score says so.

    outputs: of this run; statistics: of the images alone; background: outputs of the background training; seeds: outputs of all seeds.
    Raises OecalError if a score is not finite.
    """
    source = read(outputs)
    own = {f"{g.split}_{n}": values for g in source.groups if g.role == "id" for n, values in g.arrays.items()}
    there = [arrays_of(source)]
    there += [arrays_of(read(statistics))] if statistics else []
    there += [arrays_of(read(background, "log_likelihood"), "background_")] if background else []
    each = [arrays_of(read(other, "log_likelihood")) for other in seeds]
    with replacing(path) as temporary, h5py.File(temporary, "w") as file:
        order = [f"{g.set}/{g.split}" for g in source.groups]
        file.attrs.update({name: source.key[name] for name in RUN}, kind=source.kind, dims=source.dims, order=order)
        for place, group in zip(order, source.groups, strict=True):
            at = group.set, group.split
            arrays = own | {name: values for arrays in there for name, values in arrays[at].items()}
            if each:
                arrays["seeds_log_likelihood"] = np.stack([other[at]["log_likelihood"] for other in each])
            target = file.create_group(place, track_order=True)  # scores stay in the configuration's order
            target.attrs["role"] = group.role
            for name in names:
                found = score(name)
                if lost := set(found.arguments) - arrays.keys():
                    if group.split == "train" and lost <= COSTLY:  # of the training split nothing costly is computed
                        continue
                    raise OecalError(f"{outputs}: has no {', '.join(sorted(lost))} in {place}, which {name} needs; delete it and run again")
                function = getattr(importlib.import_module(found.module), found.function)
                values = np.asarray(function(**{a: arrays[a] for a in found.arguments}, **found.options), dtype=np.float64)
                if not len(values):
                    raise OecalError(f"scores: {name} of {place} needs more than its {len(group)} images; leave this score out")
                if not np.isfinite(values).all():
                    raise OecalError(f"scores: {name} of {place} has values that are not finite; leave this score out for this model")
                target.create_dataset(name, data=values, track_times=False)
            logging.info("%s: %s", place, ", ".join(target))
