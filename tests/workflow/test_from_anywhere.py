"""The workflow from another directory and as a module of another workflow, with a prefix."""

import json
import os
import re
import subprocess
import sys

import numpy as np
import pytest
import yaml
from PIL import Image

from oecal.core.codegraph import CANNOT_CHANGE_A_RESULT, ROOT

TINY = yaml.safe_load((ROOT / "studies/tiny.yaml").read_text())
OUTER = f"""
configfile: "config.yaml"

module oecal:
    snakefile: {str(ROOT / "Snakefile")!r}
    config: config["oecal"]
    prefix: "calibration"

use rule * from oecal as oecal_*

rule copied:
    default_target: True
    input: "calibration/results/smallest/report.html"
    output: "report.html"
    shell: "cp {{input}} {{output}}"
"""
# Found and run by Python itself as a process starts.
SITECUSTOMIZE = """
import atexit, json, os, sys

def record():
    job = getattr(sys.modules["__main__"], "snakemake", None)
    if job is None:
        return
    own = [module for name, module in sys.modules.items() if name.split(".")[0] == "oecal"]
    told = {"rule": job.rule, "code": list(job.input.code), "ran": [m.__file__ for m in own]}
    with open(f"{os.environ['RECORDS']}/{os.getpid()}.json", "w") as file:
        json.dump(told, file)

atexit.register(record)
"""
CLAIM = {
    "statement": "MSP tells letters from digits.",
    "table": "detection",
    "where": {"in_dist": "tiny_digits", "model": "wrn", "training": "baseline", "score": "msp"},
    "value": "auroc",
    "is": "above",
    "than": 0.5,
}


def snakemake(folder, *arguments, **environment):
    command = [sys.executable, "-m", "snakemake", "--cores", "2", *map(str, arguments)]
    done = subprocess.run(
        command,
        cwd=folder,
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-5000:]
    return done.stdout + done.stderr


def plan(folder, *arguments):
    """Rule -> number of jobs of a dry run in which everything is to be done."""
    shown = snakemake(folder, "-n", "--forceall", *arguments)
    table = re.search(r"Job stats:\njob\s+count\n[- ]+\n(.*?)\ntotal", shown, re.DOTALL)
    return dict(line.split() for line in table[1].splitlines())


def nested(folder, study):
    """Write a workflow that has this study as a module, under a key of its own configuration."""
    (folder / "Snakefile").write_text(OUTER)
    (folder / "config.yaml").write_text(yaml.safe_dump({"oecal": study}))


@pytest.fixture(scope="module")
def at_home():
    """The jobs of the smallest study in the repository itself."""
    return plan(ROOT, "--configfile", "studies/tiny.yaml")


def test_from_another_directory(at_home, tmp_path):
    where = ("--snakefile", ROOT / "Snakefile", "--directory", tmp_path)
    assert plan(ROOT, *where, "--configfile", ROOT / "studies/tiny.yaml") == at_home
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(TINY))
    assert plan(tmp_path, *where) == at_home


def test_from_another_directory_without_a_configuration(tmp_path):
    target = "results/demo/models/digits/wrn/baseline/seed0/model.safetensors"
    jobs = plan(tmp_path, "--snakefile", ROOT / "Snakefile", target)
    assert jobs["train"] == "1"


def test_as_a_module_with_a_prefix(at_home, tmp_path):
    nested(tmp_path, TINY)
    jobs = plan(tmp_path, "oecal_all")
    assert jobs == {f"oecal_{rule}": number for rule, number in at_home.items()}


def test_files_of_the_user_have_no_prefix(tmp_path):
    """Claims, own images, and images to screen lie below the working directory."""
    study = json.loads(json.dumps(TINY))
    study["data_root"] = "pictures"
    study["datasets"]["mine"] = {"source": "folder", "path": "mine", "splits": "test"}
    study["experiments"]["tiny_digits"]["far"].append("mine")
    study["claims"] = "my_claims.yaml"
    study["screen"] = {"new": {"images": "incoming", "run": "tiny_digits/wrn/baseline/seed0"}}
    (tmp_path / "my_claims.yaml").write_text(yaml.safe_dump({"letters": CLAIM}))
    for folder in ("pictures/mine/a", "incoming"):
        (tmp_path / folder).mkdir(parents=True)
        Image.fromarray(np.zeros((8, 8), np.uint8)).save(tmp_path / folder / "0.png")
    nested(tmp_path, study)
    target = "calibration/results/tiny/screen/new/decisions.csv"
    jobs = plan(tmp_path, "calibration/results/tiny/tables/claims.csv", target)
    # With a prefix these files would be missing, and Snakemake would end in an error.
    assert jobs["oecal_screen"] == "1"


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """A folder where a workflow has run a very small study, its module, to the report.

    Two models, one seed; each job wrote to records/ which files of the library it imported.
    """
    models = {
        "wrn": TINY["models"]["wrn"] | {"scores": ["msp", "swag_entropy"]},
        "vae": TINY["models"]["vae"] | {"scores": ["log_likelihood"]},
    }
    models["wrn"]["trainings"] = {"baseline": TINY["models"]["wrn"]["trainings"]["baseline"]}
    experiment = {
        "models": {"wrn": ["baseline"], "vae": ["baseline"]},
        "near": ["tiny_letters"],
        "synthetic": ["tiny_uniform"],
    }
    sets = ("tiny_digits", "tiny_letters", "tiny_uniform")
    study = {
        "study": "smallest",
        "seeds": [0],
        "datasets": {name: TINY["datasets"][name] for name in sets},
        "models": models,
        "measures": TINY["measures"],
        "experiments": {"tiny_digits": experiment},
        "figures": ["reliability"],
    }
    folder = tmp_path_factory.mktemp("outer")
    nested(folder, study)
    for name in ("probe", "records"):
        (folder / name).mkdir()
    (folder / "probe/sitecustomize.py").write_text(SITECUSTOMIZE)
    probe = {"PYTHONPATH": str(folder / "probe"), "RECORDS": str(folder / "records")}
    snakemake(folder, **probe)
    return folder


def test_a_module_runs_to_the_report(ran):
    html = (ran / "report.html").read_text()
    assert "data:image/png;base64," in html
    assert {path.name for path in (ran / "calibration/results").iterdir()} == {"data", "smallest"}
    assert not (ran / "results").exists()


def test_each_job_imports_no_more_than_the_code_that_its_rule_lists(ran):
    """So an edit to any file that can change a result makes its job run again."""
    records = [json.loads(path.read_text()) for path in (ran / "records").iterdir()]
    passed_over = {name.replace(".", "/") + ".py" for name in CANNOT_CHANGE_A_RESULT}
    for record in records:
        listed, imported = (
            {(ran / path).resolve().relative_to(ROOT.resolve()).as_posix() for path in record[key]}
            for key in ("code", "ran")
        )
        assert imported - listed <= passed_over, record["rule"]
    steps = ("dataset", "train", "swag", "predict", "statistics", "score", "thresholds", "page")
    assert {f"oecal_{step}" for step in steps} <= {record["rule"] for record in records}
