"""The configuration of a study, checked in full before any job starts.

Its types (oecal.study.configuration) say what a key may hold, the `Options` class in a component's
own file what the component takes; what both cannot say is checked in the modules check_*. Every
mistake ends in an OecalError, one line that names the key and what is wrong.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path

import yaml
from pydantic import ValidationError

from oecal.core.errors import OecalError, summarize_error
from oecal.data.table import LOADER
from oecal.study.check_claims import check_claims
from oecal.study.check_experiments import check_experiment, drop_empty
from oecal.study.check_figures import check_figures
from oecal.study.check_measures import check_measures, check_promises, check_screen
from oecal.study.check_models import resolve_model
from oecal.study.configuration import Configuration
from oecal.study.dataset_entries import resolve_datasets
from oecal.study.limit_settings import keep_run_limits
from oecal.study.messages import explain
from oecal.study.study import Study

Plain = Mapping[str, object]


def name_components(plain: Plain) -> dict[str, object]:
    """A copy in which each model names its architecture, and each training its objective.

    Without the key, it is their own name.
    """
    named = dict(plain)
    if not isinstance(models := named.get("models"), dict):
        return named
    named["models"] = models = dict(models)
    for name, model in models.items():
        if not isinstance(model, dict):
            continue
        models[name] = model = {"architecture": name, **model}
        if isinstance(trainings := model.get("trainings"), dict):
            model["trainings"] = {
                training: {"objective": training, **entry} if isinstance(entry, dict) else entry
                for training, entry in trainings.items()
            }
    return named


def load(plain: Plain) -> Study:
    """A checked study from the plain configuration. Raises OecalError for the first mistake."""
    try:
        config = Configuration.model_validate(name_components(plain))
    except ValidationError as error:
        raise OecalError(explain(error, Configuration)) from None
    datasets = resolve_datasets(config.datasets)
    seeds = len(config.seeds)
    models = {name: resolve_model(name, model, seeds) for name, model in config.models.items()}
    config = config.model_copy(update={"models": models})
    check_measures(config)
    check_promises(config)
    config = config.model_copy(update={"experiments": drop_empty(config.experiments)})
    for in_dist in config.experiments:
        check_experiment(in_dist, config, datasets)
    study = Study(config, datasets)
    check_screen(study)
    study.config = study.config.model_copy(update={"limits": keep_run_limits(study)})
    check_figures(study)
    study.claims = check_claims(config.claims, study)
    return study


def merge(base: Plain, other: Plain) -> dict[str, object]:
    """A configuration with another one over it, as Snakemake merges several.

    Mappings are joined key by key; everything else is replaced.
    """
    merged = dict(base)
    for key, value in other.items():
        below = merged.get(key)
        if isinstance(value, Mapping) and isinstance(below, Mapping):
            merged[key] = merge(below, value)
        else:
            merged[key] = copy.deepcopy(value)
    return merged


def read(*paths: str | Path) -> Study:
    """The study of a YAML file, with others over it."""
    config: dict[str, object] = {}
    for path in paths:
        try:
            content = yaml.load(Path(path).read_text(encoding="utf-8"), LOADER)
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise OecalError(f"{path}: cannot be read: {summarize_error(error, 500)}") from None
        if not isinstance(content, dict):
            raise OecalError(f"{path}: must be a YAML mapping, for example `study: demo`")
        config = merge(config, content)
    return load(config)
