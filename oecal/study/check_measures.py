"""Measures, promises and screening beyond their types.

Each check raises OecalError for the first mistake, one line that names the key.
"""

from __future__ import annotations

from oecal.core.components import explain_unknown, list_components
from oecal.core.errors import OecalError
from oecal.study.configuration import Configuration
from oecal.study.study import Study


def check_measures(config: Configuration) -> None:
    """Metrics and post-hoc methods exist, and a drift stream lasts beyond its onset."""
    measures = config.measures
    named = {
        "post_hoc": (measures.post_hoc, list_components("calibrators", "OUTLIERS")),
        "metrics": (measures.metrics, list_components("metrics", "TABLE")),
    }
    for key, (asked, known) in named.items():
        for n, name in enumerate(asked):
            if name not in known:
                raise OecalError(f"measures.{key}[{n}]: {explain_unknown(name, known)}")
    onset, length = measures.drift_onset, measures.drift_length
    if onset >= length:
        raise OecalError(
            f"measures.drift_onset: found {onset}; expected less than {length}, the images in a "
            "stream"
        )


def check_promises(config: Configuration) -> None:
    """Each promise is either `reject` or `error`."""
    for name, promise in config.promises.items():
        if (promise.reject is None) == (promise.error is None):
            both = (
                "both reject and error" if promise.error is not None else "neither reject nor error"
            )
            raise OecalError(f"promises.{name}: promises {both}; use one of the two")
        if promise.ood_rate is not None and promise.error is None:
            raise OecalError(f"promises.{name}.ood_rate: applies to error only; remove it")


def check_screen(study: Study) -> None:
    """Each entry of `screen` names a run of the study, and a promise that it makes."""
    config, runs = study.config, {run.path for run in study.runs()}
    for name, asked in config.screen.items():
        if asked.run not in runs:
            raise OecalError(f"screen.{name}.run: {explain_unknown(asked.run, runs)}")
        if asked.promise is not None and asked.promise not in config.promises:
            raise OecalError(
                f"screen.{name}.promise: {explain_unknown(asked.promise, config.promises)}"
            )
