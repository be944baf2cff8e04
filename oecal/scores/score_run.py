"""The scoring job of one run: all its scores of all evaluated sets, into one HDF5 file."""

from __future__ import annotations

import json
import logging
import tracemalloc
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from oecal.core import hdf5_files
from oecal.core.component_imports import import_component
from oecal.core.errors import OecalError
from oecal.core.job_costs import Cost, write_costs
from oecal.core.roles import is_spared
from oecal.runs.run_files import RUN_COLUMNS, StoredRun, StoredSet, read_run
from oecal.scores.catalogue import Score, find_score
from oecal.scores.tuning import choose_options

Arrays = dict[str, np.ndarray]
Place = tuple[str, str]
"""Set and split."""


class Inputs(NamedTuple):
    """What the scores of a run are computed from."""

    outputs: str
    """The run's outputs: the file that messages name."""
    run: StoredRun
    own: Arrays
    """`collect_own_arrays` of the run."""
    places: Sequence[Mapping[Place, Arrays]]
    """Arrays of each set and split: of the run, and of all other files that its scores need."""
    outliers: Arrays
    """Of all auxiliary outliers; empty if there are none."""


class ScoringTask(NamedTuple):
    """A score, its function, and what it has cost so far."""

    score: Score
    function: Callable[..., np.ndarray]
    cost: Cost


def read_peak_memory() -> float:
    """Return the highest memory of NumPy's arrays since `tracemalloc.reset_peak`, bytes."""
    return tracemalloc.get_traced_memory()[1]


def collect_arrays(run: StoredRun, prefix: str = "") -> dict[Place, Arrays]:
    """Return the arrays of each set and split, with a prefix before their names."""
    return {
        (g.set, g.split): {prefix + name: values for name, values in g.arrays.items()}
        for g in run.groups
    }


def collect_own_arrays(run: StoredRun) -> Arrays:
    """Return what all scores of a run share.

    That is the last layer, and the outputs of its ID training and validation images, `train_X` and
    `val_X`.
    """
    inside = [g for g in run.groups if g.role == "id" and g.split in ("train", "val")]
    return run.head | {
        f"{g.split}_{name}": values for g in inside for name, values in g.arrays.items()
    }


def stack_seeds(seeds: Sequence[str], arguments: Collection[str]) -> dict[Place, Arrays]:
    """Return `seeds_X`, (S, N, ...), for each argument with this prefix.

    seeds: the outputs of all seeds.
    """
    names = [a.removeprefix("seeds_") for a in sorted(arguments) if a.startswith("seeds_")]
    each = [collect_arrays(read_run(path, *names)) for path in seeds]
    return {
        place: {f"seeds_{name}": np.stack([one[place][name] for one in each]) for name in names}
        for place in (each[0] if each else {})
    }


def concatenate_outliers(groups: Sequence[StoredSet]) -> Arrays:
    """Return the arrays of all auxiliary outliers, one set after the other."""
    outliers = [g.arrays for g in groups if g.role == "outlier"]
    names = outliers[0] if outliers else {}
    return {name: np.concatenate([one[name] for one in outliers]) for name in names}


def read_inputs(
    outputs: str,
    arguments: Collection[str],
    statistics: str | None,
    background: str | None,
    seeds: Sequence[str],
) -> Inputs:
    """Read the files of `score_run`; arguments: of all scores."""
    run = read_run(outputs)
    places = [collect_arrays(run)]
    if statistics:
        places.append(collect_arrays(read_run(statistics)))
    if background:
        places.append(collect_arrays(read_run(background, "log_likelihood"), "background_"))
    if stacked := stack_seeds(seeds, arguments):
        places.append(stacked)
    return Inputs(outputs, run, collect_own_arrays(run), places, concatenate_outliers(run.groups))


def score_run(
    outputs: str,
    names: Sequence[str],
    path: str,
    cost: str,
    statistics: str | None = None,
    background: str | None = None,
    seeds: Sequence[str] = (),
) -> None:
    """Write `/{set}/{split}/{score}`, (N,) float64, higher = more anomalous.

    Some scores are of batches, and shorter. outputs: of this run; statistics: of the
    images alone; background: outputs of the background training; seeds: outputs of all seeds. The
    attribute `chosen` (JSON) holds the hyperparameters that were chosen on ID val against auxiliary
    outliers; without outliers they keep their defaults. A score that compares with training images
    is not computed for these images themselves, and none for images along a path. cost: a CSV file
    with the columns score, images, seconds and peak_mb, apart because times are never the same
    twice. Raises OecalError if a score is not finite.
    """
    scores = {name: find_score(name) for name in names}
    tasks = {
        name: ScoringTask(
            score, getattr(import_component("scores", score.family), score.function), Cost()
        )
        for name, score in scores.items()
    }
    arguments = {argument for score in scores.values() for argument in score.arguments}
    inputs = read_inputs(outputs, arguments, statistics, background, seeds)
    tracemalloc.start()
    chosen = {
        name: tune(task, inputs)
        for name, task in tasks.items()
        if task.score.grids and inputs.outliers
    }
    run = inputs.run
    with hdf5_files.creating(path) as file:
        order = [f"{g.set}/{g.split}" for g in run.groups]
        file.attrs.update(
            {name: run.key[name] for name in RUN_COLUMNS}, kind=run.kind, dims=run.dims, order=order
        )
        file.attrs["chosen"] = json.dumps(chosen, sort_keys=True)
        for place, group in zip(order, run.groups, strict=True):
            # the order of the group is that of the scores in the configuration
            target = file.create_group(place, track_order=True)
            target.attrs["role"] = group.role
            arrays = gather_arrays(inputs, group)
            for name, task in tasks.items():
                if is_computed(task.score, group, arrays):
                    options = chosen.get(name, task.score.options)
                    hdf5_files.put(target, name, compute(task, options, group, arrays, outputs))
            logging.info("%s: %s", place, ", ".join(target))
    tracemalloc.stop()
    write_costs(cost, "score", {name: task.cost for name, task in tasks.items()})


def tune(task: ScoringTask, inputs: Inputs) -> dict[str, object]:
    """Return the options of a score that tell ID validation images best from the outliers."""
    score = task.score
    inside, outside = (
        {a: arrays[a] for a in score.arguments if a in arrays}
        for arrays in (
            inputs.own | images for images in (inputs.run.find("id", "val").arrays, inputs.outliers)
        )
    )
    check_arguments(inputs.outputs, score, outside, "the outliers")
    with task.cost.measured(0, tracemalloc.reset_peak, read_peak_memory):
        options = choose_options(score, task.function, inside, outside)
    listed = ", ".join(f"{key} = {value}" for key, value in options.items())
    logging.info("%s: %s", score.name, listed)
    return options


def gather_arrays(inputs: Inputs, group: StoredSet) -> Arrays:
    """Return all arrays that a score of this group can take, by the names of its arguments."""
    return inputs.own | {
        name: values
        for arrays in inputs.places
        for name, values in arrays[group.set, group.split].items()
    }


def is_computed(score: Score, group: StoredSet, arrays: Arrays) -> bool:
    """Return whether a score is computed for a group.

    It is not along a path, where outputs tell enough, nor for the training images that it is fitted
    to, nor where a costly prediction was spared.
    """
    fitted_to_them = group.split == "train" and group.role == "id" and "train" in score.prefixes
    spared = score.costly and is_spared(group.role, group.split)
    return not (
        group.role == "path" or fitted_to_them or (spared and set(score.arguments) - arrays.keys())
    )


def compute(
    task: ScoringTask,
    options: Mapping[str, object],
    group: StoredSet,
    arrays: Arrays,
    outputs: str,
) -> np.ndarray:
    """Return the values of a score for a group; outputs: the file, for messages.

    Raises OecalError if an argument is missing, if there are no values, or if one is not finite.
    """
    score, place = task.score, f"{group.set}/{group.split}"
    check_arguments(outputs, score, arrays, place)
    with task.cost.measured(0, tracemalloc.reset_peak, read_peak_memory):
        values = np.asarray(
            task.function(**{a: arrays[a] for a in score.arguments}, **options), dtype=np.float64
        )
    task.cost.images += len(values)
    if not len(values):
        raise OecalError(
            f"scores: {score.name} needs more than the {len(group)} images of {place}; remove this "
            "score"
        )
    if not np.isfinite(values).all():
        raise OecalError(
            f"scores: {score.name} has values on {place} that are not finite; remove this score "
            "for this model"
        )
    return values


def check_arguments(
    outputs: str, score: Score, arrays: Mapping[str, np.ndarray], place: str
) -> None:
    """Raise OecalError if a group of the file `outputs` lacks an argument of the score.

    place: the group, for the message.
    """
    if missing := set(score.arguments) - arrays.keys():
        raise OecalError(
            f"{outputs}: has no {', '.join(sorted(missing))} in {place}, which {score.name} needs; "
            "delete it and run again"
        )
