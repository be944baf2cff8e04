"""What a configuration must hold beyond its schema: components that exist, options that fit, names that lead somewhere.

Each check raises OecalError for the first mistake, one line that names the key, what was found and
what to write instead; some fill in what was left out. `oecal.study.loading.load` calls them in
their order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from oecal.core.components import check_options, explain_unknown, list_components, read_constant
from oecal.core.errors import OecalError
from oecal.core.roles import OOD, TEST_SETS
from oecal.scores.catalogue import BACKGROUND_LOGIT, find_score, list_fitting_scores
from oecal.study.dataset_entries import splits_of
from oecal.study.study import Study


def check_models(config: dict[str, Any]) -> None:
    """Fills in architecture, objective and their options, and refuses pairs that cannot work."""
    for name, model in config["models"].items():
        place = f"models.{name}"
        architecture = model.setdefault("architecture", name)
        if architecture not in list_components("models"):
            raise OecalError(
                f"{place}{'' if architecture == name else '.architecture'}: {explain_unknown(architecture, list_components('models'))}"
            )
        model["options"] = check_options(
            "models", architecture, model["options"], f"{place}.options"
        )
        kind = read_constant("models", architecture, "KIND")
        seeds = model.get("seeds", len(config["seeds"]))
        if seeds > len(config["seeds"]):
            raise OecalError(
                f"{place}.seeds: found {seeds}, but the study has {len(config['seeds'])}; write at most that many"
            )
        check_scores(model, architecture, seeds, place)
        steps, snapshots = model["swag"]["steps"], model["swag"]["snapshots"]
        if steps < snapshots:
            raise OecalError(
                f"{place}.swag.steps: found {steps}, but there are {snapshots} snapshots; write at least that many"
            )
        for training, recipe in model["trainings"].items():
            check_training(recipe, training, model, kind, f"{place}.trainings.{training}")
        starts = {training: recipe.get("init") for training, recipe in model["trainings"].items()}
        for training in starts:
            follow(training, starts.get, f"{place}.trainings.{training}.init")


def check_scores(model: Mapping[str, Any], architecture: str, seeds: int, place: str) -> None:
    """Each score exists, and the model gives what it needs: outputs, two seeds, dropout, a class for the background.

    At least one score must be had by every seed and training. place: the key of the model, for the
    message.
    """
    known = list_fitting_scores(read_constant("models", architecture, "OUTPUTS"))
    for n, name in enumerate(model["scores"]):
        try:
            found = find_score(name)
        except KeyError:
            raise OecalError(f"{place}.scores[{n}]: {explain_unknown(name, known)}") from None
        if found.function not in known:
            raise OecalError(
                f"{place}.scores[{n}]: {name} needs {', '.join(sorted(found.needs))}, which {architecture} does not give; "
                f"write one of: {', '.join(known)}"
            )
        if "seeds" in found.prefixes and seeds < 2:
            raise OecalError(
                f"{place}.scores[{n}]: {name} is one score of all seeds; write two or more seeds, or leave this score out"
            )
        if "dropout" in found.costly and not model["options"].get("dropout"):
            raise OecalError(
                f"{place}.options.dropout: {name} needs a model with dropout; write a number above 0, or leave this score out"
            )
        if BACKGROUND_LOGIT in found.needs and not any(
            extra_classes(recipe, name) for name, recipe in model["trainings"].items()
        ):
            raise OecalError(
                f"{place}.scores[{n}]: {name} needs a training whose objective is background_class; write one"
            )
    if not common_to_all(model["scores"]):
        raise OecalError(
            f"{place}.scores: found none that each seed and each training has; write another beside them, such as {known[0]}"
        )


def common_to_all(names: Iterable[str]) -> bool:
    """Whether some of these scores is one that each seed and each training has."""
    return any(
        "seeds" not in s.prefixes and BACKGROUND_LOGIT not in s.needs
        for s in map(find_score, names)
    )


def extra_classes(recipe: Mapping[str, Any], training: str) -> int:
    """Outputs beside the classes that a training's objective asks for.

    0 also of an objective that is unknown.
    """
    objective = recipe.get("objective", training)
    return (
        read_constant("training", objective, "EXTRA_CLASSES", 0)
        if objective in list_components("training")
        else 0
    )


def check_training(
    recipe: dict[str, Any], training: str, model: Mapping[str, Any], kind: str, place: str
) -> None:
    """Fills in a training's objective and its options.

    Refuses an objective of another `kind` of model, and keys that do not go together.

    place: the key of the training, for the message.
    """
    objective = recipe.setdefault("objective", training)
    known = [o for o in list_components("training") if kind in read_constant("training", o, "FOR")]
    if objective not in list_components("training"):
        raise OecalError(f"{place}.objective: {explain_unknown(objective, known)}")
    if objective not in known:
        raise OecalError(
            f"{place}.objective: {objective} is not for a {kind} model such as {model['architecture']}; "
            f"write one of: {', '.join(known)}"
        )
    recipe["options"] = check_options("training", objective, recipe["options"], f"{place}.options")
    for key in ("batch_size", "outlier_batch_size"):
        if recipe[key] % recipe["processes"]:
            raise OecalError(
                f"{place}.{key}: found {recipe[key]}, which {recipe['processes']} processes cannot share equally; "
                f"write a multiple of {recipe['processes']}"
            )
    if recipe["label_noise"] and kind != "classifier":
        raise OecalError(f"{place}.label_noise: a {kind} model has no labels; leave it out")
    if recipe["outliers"] and not read_constant("training", objective, "OUTLIERS"):
        raise OecalError(
            f"{place}.outliers: the objective {objective} uses no outliers; leave them out"
        )
    if "init" in recipe and recipe["init"] not in model["trainings"]:
        raise OecalError(f"{place}.init: {explain_unknown(recipe['init'], model['trainings'])}")
    if "init" in recipe and extra_classes(recipe, training) != extra_classes(
        model["trainings"][recipe["init"]], recipe["init"]
    ):
        raise OecalError(
            f"{place}.init: {recipe['init']} has another number of outputs than {training}; write another, or leave it out"
        )


def follow(start: str, step: Callable[[str], str | None], place: str) -> None:
    """Raises OecalError if the chain start, step(start), ... runs in a circle."""
    seen, name = [start], step(start)
    while name is not None:
        if name in seen:
            raise OecalError(
                f"{place}: leads in a circle, {' -> '.join([*seen, name])}; write a name outside of it"
            )
        seen.append(name)
        name = step(name)


def check_measures(config: Mapping[str, Any]) -> None:
    """Metrics and post-hoc methods exist, a drift stream lasts beyond its onset, and each promise is either `reject` or `error`."""
    components = {
        "post_hoc": list_components("calibrators", mark="\nOUTLIERS"),
        "metrics": list_components("metrics", mark="\nTABLE = "),
    }
    for key, known in components.items():
        for n, name in enumerate(config["measures"].get(key, [])):
            if name not in known:
                raise OecalError(f"measures.{key}[{n}]: {explain_unknown(name, known)}")
    onset, length = config["measures"]["drift_onset"], config["measures"]["drift_length"]
    if onset >= length:
        raise OecalError(
            f"measures.drift_onset: found {onset}, but a stream has {length} images; write less than that"
        )
    for name, promise in config["promises"].items():
        if ("reject" in promise) == ("error" in promise):
            found = "both reject and" if "error" in promise else "neither reject nor"
            raise OecalError(f"promises.{name}: promises {found} error; write one")
        if "ood_rate" in promise and "error" not in promise:
            raise OecalError(f"promises.{name}.ood_rate: is for error only; leave it out")


def check_experiments(config: dict[str, Any]) -> None:
    """Drops models without trainings and experiments without models.

    What is left must lead to data sets, scores and models that exist.
    """
    corruptions = corruption_names()
    for experiment in config["experiments"].values():
        experiment["models"] = {
            model: trainings for model, trainings in experiment["models"].items() if trainings
        }
    config["experiments"] = {
        name: experiment
        for name, experiment in config["experiments"].items()
        if experiment["models"]
    }
    if not config["experiments"]:
        raise OecalError("experiments: no model is left; write at least one training under models")
    for name, experiment in config["experiments"].items():
        place = f"experiments.{name}"
        if name not in config["datasets"]:
            raise OecalError(f"{place}: {explain_unknown(name, config['datasets'])}")
        if name in config["may_be_missing"]:
            raise OecalError(
                f"datasets.{name}.missing: {name} is an in-distribution set, no study can do without it; write stop"
            )
        check_sets(config, name, experiment["outliers"], "train", f"{place}.outliers")
        of_its_models = {
            score
            for model in experiment["models"]
            if model in config["models"]
            for score in config["models"][model]["scores"]
        }
        for n, other in enumerate(experiment["scores"]):
            if other not in of_its_models:
                raise OecalError(f"{place}.scores[{n}]: {explain_unknown(other, of_its_models)}")
        for key in TEST_SETS:
            check_sets(config, name, experiment[key], "test", f"{place}.{key}")
        listed = [n for key in TEST_SETS for n in experiment[key]]
        if twice := [n for n in listed if listed.count(n) > 1]:
            raise OecalError(
                f"{place}: {twice[0]} stands in two of {', '.join(TEST_SETS)}; write it once"
            )
        fades, ends = (
            read_constant("data", "image_paths", "FADES"),
            [n for key in OOD for n in experiment[key]],
        )
        if both := sorted({*fades} & {*ends} & {*experiment["paths"]}):
            raise OecalError(
                f"{place}.paths: {both[0]} is a way to fade an image and a data set; give the data set another name"
            )
        for n, end in enumerate(experiment["paths"]):
            if end not in (*fades, *ends):
                raise OecalError(f"{place}.paths[{n}]: {explain_unknown(end, [*fades, *ends])}")
        for attack in experiment["attacks"]:
            if attack not in read_constant("predict", "adversarial", "ATTACKS"):
                raise OecalError(
                    f"{place}.attacks: {explain_unknown(attack, read_constant('predict', 'adversarial', 'ATTACKS'))}"
                )
        for corruption in experiment["corruptions"]:
            if corruption not in corruptions:
                raise OecalError(f"{place}.corruptions: {explain_unknown(corruption, corruptions)}")
        for model, trainings in experiment["models"].items():
            if model not in config["models"]:
                raise OecalError(f"{place}.models: {explain_unknown(model, config['models'])}")
            for n, training in enumerate(trainings):
                known = config["models"][model]["trainings"]
                if training not in known:
                    raise OecalError(
                        f"{place}.models.{model}[{n}]: {explain_unknown(training, known)}"
                    )
                own = known[training]["outliers"]
                check_sets(
                    config, name, own, "train", f"models.{model}.trainings.{training}.outliers"
                )
                if read_constant("training", known[training]["objective"], "OUTLIERS") and not (
                    own or experiment["outliers"]
                ):
                    raise OecalError(
                        f"{place}.outliers: {training} of {model} needs auxiliary outliers; write at least one data set"
                    )
            if (only := experiment["scores"]) and not common_to_all(
                s for s in config["models"][model]["scores"] if s in only
            ):
                raise OecalError(
                    f"{place}.scores: has no score of {model} that each seed and each training has; write one"
                )
            check_background(config, model, trainings, f"{place}.models.{model}")
        if not any(experiment[key] for key in ("near", "far", "synthetic")):
            raise OecalError(
                f"{place}: has no OOD set; write at least one data set under near, far or synthetic"
            )


def check_sets(
    config: Mapping[str, Any], in_dist: str, listed: Sequence[str], split: str, place: str
) -> None:
    """Data sets that an experiment names: they must be there, be another set than its own, and have the split that is needed."""
    for n, other in enumerate(listed):
        if other not in config["datasets"]:
            raise OecalError(f"{place}[{n}]: {explain_unknown(other, config['datasets'])}")
        if other == in_dist:
            raise OecalError(
                f"{place}[{n}]: {other} is the in-distribution set itself; write another data set"
            )
        if split not in splits_of(
            config["datasets"][other]["source"], config["datasets"][other]["options"]
        ):
            raise OecalError(
                f"{place}[{n}]: {other} has no split '{split}', which is needed here; give it one, or write another data set"
            )


def check_background(
    config: Mapping[str, Any], model: str, trainings: Sequence[str], place: str
) -> None:
    """A background serves other trainings: there may be one, beside these, and scores that compare with it need it."""
    entry = config["models"][model]
    needed = [name for name in entry["scores"] if "background" in find_score(name).prefixes]
    found = [name for name in trainings if entry["trainings"][name]["objective"] == "background"]
    if needed and not found:
        raise OecalError(
            f"{place}: {needed[0]} compares with a training whose objective is background, and there is none; write one"
        )
    if len(found) > 1 or (found and len(trainings) == 1):
        raise OecalError(
            f"{place}: found {', '.join(trainings)}; write one training whose objective is background, beside others"
        )


def corruption_names() -> list[str]:
    """The names that `corruptions` may hold, in the order of oecal/data/corruptions.py."""
    families: dict[str, tuple[str, ...]] = read_constant("data", "corruptions", "FAMILIES")
    return [name for names in families.values() for name in names]


def check_screen(study: Study) -> None:
    """Each entry of `screen` names a run of the study, and a promise that it makes."""
    config, runs = study.config, {run.path for run in study.runs()}
    for name, asked in config["screen"].items():
        if asked["run"] not in runs:
            raise OecalError(f"screen.{name}.run: {explain_unknown(asked['run'], runs)}")
        if "promise" in asked and asked["promise"] not in config["promises"]:
            raise OecalError(
                f"screen.{name}.promise: {explain_unknown(asked['promise'], config['promises'])}"
            )
