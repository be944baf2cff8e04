# The functions that the rules use. The study is checked here, before any job starts.
import functools
import os
import shutil
import sys
from pathlib import Path

from oecal.study import dataset_inputs, figure_inputs, loading, run_inputs, table_inputs
from oecal.core.codegraph import ROOT, find_script_code
from oecal.core.errors import OecalError
from oecal.core.components import explain_unknown
from oecal.core.progress import Progress
from oecal.study.study import RunKey

NAME = "[a-z][a-z0-9_]*"
RUN = "{wildcards.model} on {wildcards.in_dist}, {wildcards.training}, seed {wildcards.seed}"

try:
    study = loading.load(config)
except OecalError as error:
    print(f"Configuration error: {error}", file=sys.stderr)
    sys.exit(1)

# With defaults. The scripts read them from here: they are no parameters of a result.
config["compute"] = study.config.compute.model_dump()
config["may_be_missing"] = study.may_be_missing
config["data_root"] = study.config.data_root or os.environ.get("OECAL_DATA", "data")
OUT = f"results/{study.name}"


def find_entry(place, name, known):
    """The entry of a name that a target has."""
    if name not in known:
        raise WorkflowError(f"{place} of the study {study.name}: {explain_unknown(name, known)}")
    return known[name]


def dataset(wildcards):
    return find_entry("datasets", wildcards.dataset, study.datasets)


def screened(wildcards):
    return find_entry("screen", wildcards.name, study.config.screen)


def given_file(path):
    """A file that is no result, as an input: a module's prefix leaves it alone.

    Below the working directory its path is relative, so that both may be moved together.
    """
    path, here = Path(path).absolute(), Path.cwd()
    return local(str(path.relative_to(here) if path.is_relative_to(here) else path))


def repository_file(path):
    """A file of this repository, as an input."""
    return given_file(ROOT.resolve() / path)


def code_of(script, components=None):
    """The library files that a script runs: an edit to one of them makes its rule run again.

    components: folder -> names of what it imports from there by name; forgetting one is an error.
    """
    return [repository_file(path) for path in find_script_code(script, components)]


def plan_of_table(wildcards):
    """What a table is computed from."""
    if wildcards.table == "claims" and not study.claims:
        raise WorkflowError(
            f"the study {study.name} makes no claims; set claims to the path of a YAML file"
        )
    return table_inputs.plan_table(study, wildcards.table)


def given_inputs(inputs):
    """Inputs by their names; absolute paths are no results."""
    return {
        name: given_file(path) if isinstance(path, str) and os.path.isabs(path) else path
        for name, path in inputs.items()
    }


def run_of(wildcards):
    return RunKey(wildcards.in_dist, wildcards.model, wildcards.training, int(wildcards.seed))


def tables():
    """All tables of the study."""
    return [table_inputs.find_table_path(study, name) for name in table_inputs.list_tables(study)]


def configfiles():
    """The files given with --configfile, as the report's commands name them; none by default."""
    return [os.path.relpath(path) for path in snakemake_parts.list_config_files(workflow) or []]


@functools.cache
def plan(figure, of):
    """What a figure file is drawn from."""
    try:
        return figure_inputs.find_figure(study, figure, of)
    except OecalError as error:
        raise WorkflowError(str(error))


def gpus():
    """GPUs that a job asks for: 1 if it may run on one.

    Where jobs run on other machines, what this one has does not matter.
    """
    device = study.config.compute.device
    elsewhere = snakemake_parts.runs_jobs_elsewhere(workflow) is not False
    here = elsewhere or shutil.which("nvidia-smi") is not None
    return int(device.startswith("cuda") or (device == "auto" and here))
