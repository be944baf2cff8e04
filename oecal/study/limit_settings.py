"""Limits of Outlier Exposure: the factors that a study varies, their settings, and their controls.

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

from typing import NamedTuple

from oecal.core.components import explain_unknown
from oecal.core.errors import OecalError
from oecal.study.study import Study


class LimitSetting(NamedTuple):
    """A setting of a factor; control: '' if the experiments do not run both trainings."""

    factor: str
    setting: str
    in_dist: str
    model: str
    training: str
    control: str


def parse_setting(study: Study, factor: str, setting: str, entry: str) -> LimitSetting:
    """What an entry such as `fashion/wrn/oe_noise - baseline_noise` stands for in a study."""
    run, _, control = entry.partition(" - ")
    in_dist, model, training = run.split("/")
    experiment = study.config.experiments.get(in_dist)
    runs_model = experiment is not None and model in experiment.models
    trainings = study.compared(in_dist, model) if runs_model else []
    runs_both = training in trainings and (not control or control in trainings)
    compared_with = (control or trainings[0]) if runs_both else ""
    return LimitSetting(factor, setting, in_dist, model, training, compared_with)


def list_settings(study: Study) -> list[LimitSetting]:
    """All settings of all factors."""
    return [
        parse_setting(study, factor, setting, entry)
        for factor, entries in study.config.limits.items()
        for setting, entry in entries.items()
    ]


def keep_run_limits(study: Study) -> dict[str, dict[str, str]]:
    """The limits without what is not run.

    Raises OecalError for a setting that names what is not there or compares a training with itself.
    """
    kept: dict[str, dict[str, str]] = {}
    for factor, entries in study.config.limits.items():
        for setting, entry in entries.items():
            place = f"limits.{factor}.{setting}"
            check_names(study, entry, place)
            parsed = parse_setting(study, factor, setting, entry)
            if parsed.training == parsed.control:
                raise OecalError(
                    f"{place}: {parsed.training} is compared with itself; name another training "
                    "after ' - '"
                )
            if parsed.control:
                kept.setdefault(factor, {})[setting] = entry
    return kept


def check_names(study: Study, entry: str, place: str) -> None:
    """The data set, classifier and trainings that an entry names are in the configuration."""
    run, _, control = entry.partition(" - ")
    in_dist, model, training = run.split("/")
    models = [name for name in study.config.models if study.kind(name) == "classifier"]
    for name, known in ((in_dist, study.config.datasets), (model, models)):
        if name not in known:
            raise OecalError(f"{place}: {explain_unknown(name, known)}")
    trainings = study.config.models[model].trainings
    for name in filter(None, (training, control)):
        if name not in trainings:
            raise OecalError(f"{place}: {explain_unknown(name, trainings)}")
