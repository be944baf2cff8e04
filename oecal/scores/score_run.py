"""The scoring job of one run: all its scores of all evaluated sets, into one HDF5 file, and what each score cost."""

from __future__ import annotations

import json
import logging
import tracemalloc
from collections.abc import Mapping, Sequence

import numpy as np

from oecal.core import hdf5_files
from oecal.core.component_imports import import_component
from oecal.core.errors import OecalError
from oecal.core.job_costs import Cost, write_costs
from oecal.core.roles import is_spared
from oecal.runs.run_files import RUN_COLUMNS, EvaluatedSet, StoredRun, read_run
from oecal.scores.catalogue import find_score
from oecal.scores.tuning import choose_options

Arrays = dict[str, np.ndarray]
Place = tuple[str, str]


def read_peak_memory() -> float:
    """The highest memory of NumPy's arrays since the last `tracemalloc.reset_peak`, bytes."""
    return tracemalloc.get_traced_memory()[1]


def collect_arrays(run: StoredRun, prefix: str = "") -> dict[Place, Arrays]:
    """The arrays of each (set, split), their names with a prefix."""
    return {
        (g.set, g.split): {prefix + name: values for name, values in g.arrays.items()}
        for g in run.groups
    }


def collect_own_arrays(run: StoredRun) -> Arrays:
    """What scores know of the run itself: its last layer, and the outputs of its ID training and validation images."""
    inside = [g for g in run.groups if g.role == "id" and g.split in ("train", "val")]
    return run.head | {
        f"{g.split}_{name}": values for g in inside for name, values in g.arrays.items()
    }


def stack_seeds(seeds: Sequence[str], arguments: set[str]) -> dict[Place, Arrays]:
    """`seeds_X`, (S, N, ...), for each of the arguments with this prefix, from the outputs of all seeds."""
    names = [a.removeprefix("seeds_") for a in sorted(arguments) if a.startswith("seeds_")]
    each = [collect_arrays(read_run(path, *names)) for path in seeds]
    return {
        at: {f"seeds_{n}": np.stack([one[at][n] for one in each]) for n in names}
        for at in (each[0] if each else {})
    }


def concatenate_outliers(groups: Sequence[EvaluatedSet]) -> Arrays:
    """The arrays of all auxiliary outliers, one set after the other."""
    parts = [g.arrays for g in groups if g.role == "outlier"]
    return {
        name: np.concatenate([part[name] for part in parts]) for name in (parts[0] if parts else {})
    }


def score_run(
    outputs: str,
    names: Sequence[str],
    path: str,
    cost: str,
    statistics: str | None = None,
    background: str | None = None,
    seeds: Sequence[str] = (),
) -> None:
    """Writes `/{set}/{split}/{score}`, float64, higher = more anomalous: (N,), or fewer where a score says so.

    outputs: of this run; statistics: of the images alone; background: outputs of the background
    training; seeds: outputs of all seeds. The attribute `chosen` (JSON) says which hyperparameters
    were chosen on ID val against auxiliary outliers; without outliers they keep their defaults. A
    score that compares with training images is not computed of these themselves, and none of the
    images along a path. cost: a CSV file, apart because times are never the same twice: score,
    images, seconds, peak_mb. Raises OecalError if a score is not finite.
    """
    source, found = read_run(outputs), {name: find_score(name) for name in names}
    own = collect_own_arrays(source)
    there = [collect_arrays(source)]
    there += [collect_arrays(read_run(statistics))] if statistics else []
    there += (
        [collect_arrays(read_run(background, "log_likelihood"), "background_")]
        if background
        else []
    )
    there += (
        [more]
        if (more := stack_seeds(seeds, {a for s in found.values() for a in s.arguments}))
        else []
    )
    outliers = concatenate_outliers(source.groups)
    costs, options = (
        {name: Cost() for name in names},
        {name: s.options for name, s in found.items()},
    )
    functions = {
        name: getattr(import_component("scores", s.family), s.function) for name, s in found.items()
    }
    tracemalloc.start()
    for name, s in found.items():
        if s.grids and outliers:
            both = (own | images for images in (source.find("id", "val").arrays, outliers))
            inside, outside = (
                {a: arrays[a] for a in s.arguments if a in arrays} for arrays in both
            )
            check_arguments(outputs, name, set(s.arguments), outside, "the outliers")
            with costs[name].measured(0, tracemalloc.reset_peak, read_peak_memory):
                options[name] = choose_options(s, functions[name], inside, outside)
            logging.info(
                "%s: %s",
                name,
                ", ".join(f"{key} = {value}" for key, value in options[name].items()),
            )
    with hdf5_files.creating(path) as file:
        order = [f"{g.set}/{g.split}" for g in source.groups]
        file.attrs.update(
            {name: source.key[name] for name in RUN_COLUMNS},
            kind=source.kind,
            dims=source.dims,
            order=order,
        )
        file.attrs["chosen"] = json.dumps(
            {name: options[name] for name, s in found.items() if s.grids and outliers},
            sort_keys=True,
        )
        for place, group in zip(order, source.groups, strict=True):
            arrays = own | {
                name: values
                for arrays in there
                for name, values in arrays[group.set, group.split].items()
            }
            target = file.create_group(
                place, track_order=True
            )  # scores stay in the configuration's order
            target.attrs["role"] = group.role
            for name, s in (
                found.items() if group.role != "path" else ()
            ):  # along a path, outputs tell enough
                fitted_on_them = (
                    group.split == "train" and group.role == "id" and "train" in s.prefixes
                )
                if fitted_on_them or (
                    set(s.arguments) - arrays.keys()
                    and is_spared(group.role, group.split)
                    and s.costly
                ):
                    continue
                check_arguments(outputs, name, set(s.arguments), arrays, place)
                with costs[name].measured(0, tracemalloc.reset_peak, read_peak_memory):
                    values = np.asarray(
                        functions[name](**{a: arrays[a] for a in s.arguments}, **options[name]),
                        dtype=np.float64,
                    )
                costs[name].images += len(values)
                if not len(values):
                    raise OecalError(
                        f"scores: {name} of {place} needs more than its {len(group)} images; leave this score out"
                    )
                if not np.isfinite(values).all():
                    raise OecalError(
                        f"scores: {name} of {place} has values that are not finite; leave this score out for this model"
                    )
                hdf5_files.put(target, name, values)
            logging.info("%s: %s", place, ", ".join(target))
    tracemalloc.stop()
    write_costs(cost, "score", costs)


def check_arguments(
    outputs: str, name: str, arguments: set[str], arrays: Mapping[str, np.ndarray], place: str
) -> None:
    """Raises OecalError if a group lacks arguments of the score `name`.

    place: the group in the file `outputs`, for the message.
    """
    if lost := arguments - arrays.keys():
        raise OecalError(
            f"{outputs}: has no {', '.join(sorted(lost))} in {place}, which {name} needs; delete it and run again"
        )
