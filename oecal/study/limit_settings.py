"""Limits of Outlier Exposure: the factors that a study varies, their settings, and the training that each of these is compared with.

In the configuration, factor -> setting -> training:

    limits:
      weight of the outlier loss:
        "0.1": fashion/wrn/weight_01
      label noise:
        20%: fashion/wrn/oe_noise - baseline_noise

What stands after the minus is the control, a training of the same in-distribution set and model; by
default the first one. A setting that the experiments do not run is left out, so a smaller study may
be laid over one with limits.
"""

from __future__ import annotations

from oecal.core.components import explain_unknown
from oecal.core.errors import OecalError
from oecal.study.study import Study


def parts(study: Study, entry: str) -> dict[str, str]:
    """in_dist, model, training, control of an entry.

    The control is '' if the experiments do not run both.
    """
    run, _, control = entry.partition(" - ")
    in_dist, model, training = run.split("/")
    experiment = study.config["experiments"].get(in_dist, {"models": {}})
    trainings = study.compared(in_dist, model) if model in experiment["models"] else []
    both = training in trainings and (not control or control in trainings)
    return {
        "in_dist": in_dist,
        "model": model,
        "training": training,
        "control": (control or trainings[0]) if both else "",
    }


def settings(study: Study) -> list[dict[str, str]]:
    """A row for each setting: factor, setting, in_dist, model, training, control."""
    factors = study.config["limits"].items()
    return [
        {"factor": f, "setting": s, **parts(study, entry)}
        for f, entries in factors
        for s, entry in entries.items()
    ]


def check_limits(study: Study) -> None:
    """Leaves out what is not run.

    Raises OecalError for a setting that names what is not there or compares a training with itself.
    """
    models = [name for name in study.config["models"] if study.kind(name) == "classifier"]
    kept: dict[str, dict[str, str]] = {}
    for factor, entries in study.config["limits"].items():
        for setting, entry in entries.items():
            place, (run, _, control) = f"limits.{factor}.{setting}", entry.partition(" - ")
            in_dist, model, training = run.split("/")
            for name, known in ((in_dist, study.config["datasets"]), (model, models)):
                if name not in known:
                    raise OecalError(f"{place}: {explain_unknown(name, known)}")
            for name in filter(None, (training, control)):
                if name not in study.config["models"][model]["trainings"]:
                    raise OecalError(
                        f"{place}: {explain_unknown(name, study.config['models'][model]['trainings'])}"
                    )
            compared_with = parts(study, entry)["control"]
            if training == compared_with:
                raise OecalError(
                    f"{place}: {training} is compared with itself; write another training after ' - '"
                )
            if compared_with:
                kept.setdefault(factor, {})[setting] = entry
    study.config["limits"] = kept
