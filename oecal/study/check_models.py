"""Models beyond their types: components that exist, options that fit, scores that can be computed.

Each check raises OecalError for the first mistake, one line that names the key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from oecal.core.components import explain_unknown, list_components, read_constant
from oecal.core.errors import OecalError
from oecal.core.options import check_options, read_option
from oecal.scores.catalogue import BACKGROUND_LOGIT, find_score, list_fitting_scores
from oecal.study.model_entries import Model, Training


def resolve_model(name: str, model: Model, seeds: int) -> Model:
    """The model with the `Options` of its components. seeds: how many the study has."""
    place = f"models.{name}"
    architecture = model.architecture
    if architecture not in list_components("models"):
        key = place if architecture == name else f"{place}.architecture"
        raise OecalError(f"{key}: {explain_unknown(architecture, list_components('models'))}")
    if model.seeds is not None and model.seeds > seeds:
        raise OecalError(
            f"{place}.seeds: found {model.seeds}; expected at most {seeds}, the seeds of the study"
        )
    model = model.model_copy(
        update={
            "options": check_options("models", architecture, model.options, f"{place}.options"),
            "trainings": {
                training: resolve_training(entry, model, f"{place}.trainings.{training}")
                for training, entry in model.trainings.items()
            },
        }
    )
    check_scores(model, model.seeds or seeds, place)
    if model.swag.steps < model.swag.snapshots:
        raise OecalError(
            f"{place}.swag.steps: found {model.swag.steps}; expected at least "
            f"{model.swag.snapshots}, one for each snapshot"
        )
    for training in model.trainings:
        check_start(model, training, f"{place}.trainings.{training}.init")
    return model


def resolve_training(training: Training, model: Model, place: str) -> Training:
    """The training with the `Options` of its objective.

    Raises OecalError for an objective of another kind of model, and keys that do not go together.
    place: the key of the training, for the message.
    """
    objective, kind = training.objective, read_constant("models", model.architecture, "KIND")
    known = [o for o in list_components("training") if kind in read_constant("training", o, "FOR")]
    if objective not in list_components("training"):
        raise OecalError(f"{place}.objective: {explain_unknown(objective, known)}")
    if objective not in known:
        raise OecalError(
            f"{place}.objective: {objective} does not train a {kind} model such as "
            f"{model.architecture}; use one of: {', '.join(known)}"
        )
    for key in ("batch_size", "outlier_batch_size"):
        if getattr(training, key) % training.processes:
            raise OecalError(
                f"{place}.{key}: {training.processes} processes cannot share "
                f"{getattr(training, key)} images equally; use a multiple of {training.processes}"
            )
    if training.label_noise and kind != "classifier":
        raise OecalError(f"{place}.label_noise: a {kind} model has no labels; remove this key")
    if training.outliers and not read_constant("training", objective, "OUTLIERS"):
        raise OecalError(
            f"{place}.outliers: the objective {objective} uses no outliers; remove this key"
        )
    options = check_options("training", objective, training.options, f"{place}.options")
    return training.model_copy(update={"options": options})


def count_extra_outputs(objective: str) -> int:
    """Outputs beside the K classes that an objective asks of a network."""
    extra: int = read_constant("training", objective, "EXTRA_CLASSES", 0)
    return extra


def check_start(model: Model, training: str, place: str) -> None:
    """A training starts from one that exists, has as many outputs, and closes no circle."""
    trainings = model.trainings
    init = trainings[training].init
    if init is None:
        return
    if init not in trainings:
        raise OecalError(f"{place}: {explain_unknown(init, trainings)}")
    outputs = [count_extra_outputs(trainings[name].objective) for name in (training, init)]
    if outputs[0] != outputs[1]:
        raise OecalError(
            f"{place}: {training} cannot start from {init}, which has a different number of "
            "outputs; name another training"
        )
    check_no_circle(training, lambda name: trainings[name].init, place)


def check_no_circle(start: str, follow: Callable[[str], str | None], place: str) -> None:
    """Raise OecalError if the chain start, follow(start), ... runs in a circle."""
    chain, name = [start], follow(start)
    while name is not None:
        if name in chain:
            circle = " -> ".join([*chain, name])
            raise OecalError(f"{place}: found a cycle, {circle}; name another training")
        chain.append(name)
        name = follow(name)


def check_scores(model: Model, seeds: int, place: str) -> None:
    """Each score exists, and the model gives what it needs.

    That is outputs, two seeds, dropout, a class for the background. At least one score must be had
    by every seed and training. place: the key of the model, for the message.
    """
    architecture = model.architecture
    known = list_fitting_scores(read_constant("models", architecture, "OUTPUTS"))
    for n, name in enumerate(model.scores):
        at = f"{place}.scores[{n}]"
        try:
            needed = find_score(name)
        except KeyError:
            raise OecalError(f"{at}: {explain_unknown(name, known)}") from None
        if needed.function not in known:
            raise OecalError(
                f"{at}: {name} needs {', '.join(sorted(needed.needs))}, which {architecture} does "
                f"not provide; use some of: {', '.join(known)}"
            )
        if "seeds" in needed.prefixes and seeds < 2:
            raise OecalError(
                f"{at}: {name} combines all seeds, so it needs at least two; add seeds, or remove "
                "this score"
            )
        if "dropout" in needed.costly and not read_option(model.options, "dropout"):
            raise OecalError(
                f"{place}.options.dropout: {name} needs dropout; set it above 0, or remove this "
                "score"
            )
        extra = any(count_extra_outputs(t.objective) for t in model.trainings.values())
        if BACKGROUND_LOGIT in needed.needs and not extra:
            raise OecalError(
                f"{at}: {name} needs a training whose objective is background_class; add one"
            )
    if not any_common_to_all(model.scores):
        raise OecalError(
            f"{place}.scores: at least one score must exist for every seed and training; add "
            f"another, such as {known[0]}"
        )


def any_common_to_all(names: Iterable[str]) -> bool:
    """Whether some of these scores is one that each seed and each training has."""
    return any(
        "seeds" not in s.prefixes and BACKGROUND_LOGIT not in s.needs
        for s in map(find_score, names)
    )


def check_background(model: Model, trainings: Mapping[str, Training], place: str) -> None:
    """A background serves other trainings: there may be one, beside these.

    Scores that compare with it need it.
    """
    needed = [name for name in model.scores if "background" in find_score(name).prefixes]
    backgrounds = [name for name, entry in trainings.items() if entry.objective == "background"]
    if needed and not backgrounds:
        raise OecalError(
            f"{place}: {needed[0]} needs a training whose objective is background; add one"
        )
    if len(backgrounds) > 1 or (backgrounds and len(trainings) == 1):
        raise OecalError(
            f"{place}: found {', '.join(trainings)}; expected one training whose objective is "
            "background, and others beside it"
        )
