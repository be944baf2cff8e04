"""profiles/slurm against a real SLURM.

The smallest study, a job that fails, a controller that is killed, and a job that is preempted.
"""

import os
import signal
import subprocess
import sys
import time

import pytest
import yaml

from tests.cluster.slurm import Slurm, explain_missing_slurm
from tests.project import copy_project

RUN = "models/tiny_digits/wrn/baseline/seed0"


@pytest.fixture(scope="module")
def slurm(tmp_path_factory):
    pytest.importorskip("snakemake_executor_plugin_slurm")
    if why := explain_missing_slurm():
        pytest.skip(f"no SLURM here: {why}")
    with Slurm(tmp_path_factory.mktemp("slurm")) as started:
        yield started


@pytest.fixture
def project(tmp_path):
    """A copy of the project, with a profile that looks more often than a cluster would like."""
    path = copy_project(tmp_path) / "profiles/slurm/profile.yaml"
    profile = yaml.safe_load(path.read_text())
    profile |= {"slurm-init-seconds-before-status-checks": 3, "latency-wait": 10, "retries": 1}
    path.write_text(yaml.safe_dump(profile))
    return tmp_path


def study(project, **recipe):
    """The smallest study, of one classifier, whose baseline is trained with this recipe."""
    content = yaml.safe_load((project / "studies/tiny.yaml").read_text())
    content["models"]["wrn"]["trainings"]["baseline"] |= recipe
    content["models"]["wrn"]["trainings"]["oe_tune"]["processes"] = 1  # the node has one GPU
    path = project / "study.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


def snakemake(project, *targets, **more):
    command = [
        sys.executable,
        "-m",
        "snakemake",
        *(f"results/tiny/{target}" for target in targets),
        "--configfile",
        "study.yaml",
    ]
    command += ["--workflow-profile", "profiles/slurm"]
    return subprocess.Popen(
        command, cwd=project, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **more
    )


def wait_until(condition, seconds=180):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def list_running(slurm):
    return [
        number for number, job in slurm.jobs().items() if job["JobState"] in ("RUNNING", "PENDING")
    ]


def test_the_smallest_study(project, slurm):
    """Trained with a GPU requested, predicted, judged and drawn; then there is nothing to do."""
    study(project)
    targets = "thresholds/tiny_digits/wrn/baseline/seed0.json", "figures/confidence_histograms.png"
    before = slurm.jobs()
    process = snakemake(project, *targets)
    log = process.communicate(timeout=600)[0]
    assert process.returncode == 0, log
    jobs = [job for number, job in slurm.jobs().items() if number not in before]
    assert {job["JobState"] for job in jobs} == {"COMPLETED"}
    # Two trainings; two predictions with SWAG before them; scores and thresholds; the figure.
    asking = [job for job in jobs if job.get("TresPerJob") == "gres:gpu:1"]
    assert len(asking) == 4
    assert len(jobs) == 6
    assert (project / "results/tiny/figures/confidence_histograms.png").stat().st_size > 1000
    assert list((project / "results/slurm").rglob("*.log"))
    again = snakemake(project, *targets)
    assert "Nothing to be done" in again.communicate(timeout=100)[0]


def test_a_job_that_fails_is_sent_again_with_more_memory_and_shown_with_its_log(project, slurm):
    study(project, lr=1e30)
    before = slurm.jobs()
    process = snakemake(project, f"{RUN}/model.safetensors")
    log = process.communicate(timeout=400)[0]
    assert process.returncode
    assert "the training diverged: loss" in log, log
    assert [
        job["MinMemoryNode"] for number, job in slurm.jobs().items() if number not in before
    ] == ["6000M", "12000M"]
    assert not (project / f"results/tiny/{RUN}/model.safetensors").exists()


def test_a_killed_controller(project, slurm):
    """Its job goes on; once that is cancelled and the folder unlocked, the next call resumes."""
    study(project, epochs=15)
    checkpoint = project / f"results/tiny/{RUN}/checkpoint.pt"
    process = snakemake(project, f"{RUN}/model.safetensors", start_new_session=True)
    wait_until(checkpoint.exists)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert list_running(slurm)
    slurm.ask("scancel", *map(str, list_running(slurm)))
    wait_until(lambda: not list_running(slurm))
    unlock = [sys.executable, "-m", "snakemake", "--configfile", "study.yaml", "--unlock"]
    subprocess.run(unlock, cwd=project, check=True, capture_output=True)
    finish(project)


def test_a_preempted_training(project, slurm):
    study(project, epochs=15)
    process = snakemake(project, f"{RUN}/model.safetensors")
    wait_until((project / f"results/tiny/{RUN}/checkpoint.pt").exists)
    slurm.ask("scancel", *map(str, list_running(slurm)))
    log = process.communicate(timeout=400)[0]
    assert process.returncode == 0, log
    assert (
        "resuming after epoch"
        in (project / f"results/tiny/logs/train/{RUN.removeprefix('models/')}.log").read_text()
    )


def finish(project):
    process = snakemake(project, f"{RUN}/model.safetensors")
    log = process.communicate(timeout=400)[0]
    assert process.returncode == 0, log
    assert (
        "resuming after epoch"
        in (project / f"results/tiny/logs/train/{RUN.removeprefix('models/')}.log").read_text()
    )
    assert not (project / f"results/tiny/{RUN}/checkpoint.pt").exists()
