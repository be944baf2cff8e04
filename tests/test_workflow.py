"""The workflow as a user runs it: the tiny study, then edits, and what Snakemake runs again."""

import json
import os
import re
import shutil
import zipfile

import h5py
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from tests.project import copy_project, count_jobs, run_snakemake
from tests.scripts.tiny_study import TABLES as RUN_TABLES

TINY = "studies/tiny.yaml"
TABLES = (*RUN_TABLES, "datasets", "promises", "resampled", "limits")


def list_figures_drawn(folder):
    """The figures that a run would draw now."""
    done = run_snakemake(folder, "--configfile", TINY, "-n")
    return set(re.findall(r"^Job \d+: Figure (\S+)$", done.stderr + done.stdout, re.MULTILINE))


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    """A copy of the repository in which the tiny study has been built."""
    folder = copy_project(tmp_path_factory.mktemp("repository"))
    done = run_snakemake(folder, "--configfile", TINY)
    assert done.returncode == 0, done.stderr[-5000:]
    return folder


@pytest.fixture
def edited(workspace):
    """Edits a file of the workspace by a function on its text; undone after the test."""
    before = {}

    def edit(name, change):
        before.setdefault(name, (workspace / name).read_text())
        text = change((workspace / name).read_text())
        assert text != before[name]
        (workspace / name).write_text(text)

    yield edit
    for name, text in before.items():
        (workspace / name).write_text(text)


def test_everything_is_there(workspace):
    out = workspace / "results/tiny"
    for run in (
        "tiny_digits/wrn/baseline",
        "tiny_digits/wrn/oe_tune",
        "tiny_photos/pixelcnn/baseline",
        "tiny_photos/pixelcnn/oe_tune",
    ):
        assert (out / "models" / run / "seed0/model.safetensors").is_file()
        assert not (out / "models" / run / "seed0/checkpoint.pt").exists()
        assert len(pd.read_csv(out / "models" / run / "seed0/history.csv")) == 1
        assert (out / "outputs" / run / "seed0.h5").is_file()
        assert (out / "scores" / run / "seed0.h5").is_file()
        assert (out / "logs/train" / run / "seed0.log").read_text().count("epoch 1") == 1
    assert {p.name for p in (out / "tables").iterdir()} == {f"{t}.csv" for t in TABLES} | {
        "tex",
        "md",
    }
    typeset = {kind: {p.stem for p in (out / "tables" / kind).iterdir()} for kind in ("tex", "md")}
    assert (
        typeset["tex"]
        == typeset["md"]
        >= {"likelihood", "detection_auroc", "calibration_ece", "selective"}
    )
    names = {p.stem for p in (out / "figures").glob("*.pdf")}
    assert names == {p.stem for p in (out / "figures").glob("*.png")}
    assert {"reliability", "roc", "roc-tiny_photos-pixelcnn", "likelihood_histograms"} <= names
    assert (out / "report.html").stat().st_size > 100_000
    assert not list(workspace.rglob("*.tmp"))


def test_nothing_to_be_done(workspace):
    done = run_snakemake(workspace, "--configfile", TINY)
    assert "Nothing to be done" in done.stdout + done.stderr


def test_one_figure_again_gives_the_same_bytes(workspace):
    target = "results/tiny/figures/reliability.pdf"
    before = (workspace / target).read_bytes()
    (workspace / target).unlink()
    assert run_snakemake(workspace, "--configfile", TINY, "--force", target).returncode == 0
    assert (workspace / target).read_bytes() == before
    # The figure is newer than the report that shows it.
    assert count_jobs(workspace, TINY).keys() <= {"page"}
    assert run_snakemake(workspace, "--configfile", TINY).returncode == 0


def add_line(text):
    return text + "\nUNUSED = None\n"


def test_an_edit_reruns_what_depends_on_it(workspace, edited):
    tables_and_all = {"table", "page", "typeset", "figure"}
    edited("oecal/figures/reliability.py", add_line)
    assert count_jobs(workspace, TINY) == {"figure": 1, "page": 1}
    assert list_figures_drawn(workspace) == {"reliability"}
    edited(
        "oecal/figures/reliability.py", lambda text: text.removesuffix("\nUNUSED = None\n") + "\n"
    )
    edited("oecal/scores/logits.py", add_line)
    counts = count_jobs(workspace, TINY)
    assert counts["score"] == 3  # the classifiers' runs, not the density model's
    assert not {"train", "predict", "dataset"} & counts.keys()
    assert tables_and_all <= counts.keys()
    assert "ood_heatmap" in list_figures_drawn(workspace)


def test_an_edit_to_a_model_trains_that_model_again(workspace, edited):
    edited("oecal/models/wrn.py", add_line)
    counts = count_jobs(workspace, TINY)
    assert (counts["train"], counts["predict"], counts["score"]) == (3, 3, 3)
    drawn = list_figures_drawn(workspace)
    assert "reliability" in drawn
    assert "likelihood_histograms" not in drawn
    assert "dataset" not in counts


def test_an_edit_to_an_objective_trains_what_uses_it(workspace, edited):
    edited("oecal/training/margin.py", add_line)
    assert count_jobs(workspace, TINY)["train"] == 1


def test_a_new_ood_set_trains_nothing(workspace, edited):
    def more(text):
        text = text.replace(
            "datasets:\n",
            "datasets:\n  tiny_blobs: {source: noise, kind: blobs, of: tiny_digits, n: 9}\n",
        )
        return text.replace("synthetic: [tiny_uniform]", "synthetic: [tiny_uniform, tiny_blobs]")

    edited(TINY, more)
    counts = count_jobs(workspace, TINY)
    assert "train" not in counts
    assert (counts["dataset"], counts["predict"], counts["score"]) == (1, 3, 3)


def test_a_changed_hyperparameter_trains_what_it_touches(workspace, edited):
    edited(
        TINY,
        lambda text: text.replace(
            "outlier_batch_size: 16, lr: 0.01,",
            "outlier_batch_size: 16, lr: 0.011,",
        ),
    )
    counts = count_jobs(workspace, TINY)
    assert (counts["train"], counts["predict"], counts["score"]) == (1, 1, 1)


def test_swapping_two_numbers_is_seen(workspace, edited):
    edited(TINY, lambda text: text.replace("n_val: 60, n_test: 60", "n_val: 61, n_test: 60"))
    assert count_jobs(workspace, TINY)["dataset"] == 2  # the photos and what is made of them
    edited(TINY, lambda text: text.replace("n_val: 61, n_test: 60", "n_val: 60, n_test: 61"))
    assert count_jobs(workspace, TINY)["dataset"] == 2


def test_a_touched_file_and_another_device_rerun_nothing(workspace, edited):
    os.utime(workspace / "oecal/models/wrn.py")
    edited(TINY, lambda text: text + "\ncompute: {device: cpu, threads: 2}\n")
    assert count_jobs(workspace, TINY) == {}


def test_a_wrong_configuration_is_one_line_before_any_job(workspace, edited):
    edited(TINY, lambda text: text.replace("near: [tiny_letters]", "near: [tiny_leters]"))
    done = run_snakemake(workspace, "--configfile", TINY)
    assert done.returncode != 0
    shown = [
        line
        for line in (done.stdout + done.stderr).splitlines()
        if line.strip() and not line.startswith("Using workflow")
    ]
    assert len(shown) == 1, shown
    assert (
        "experiments.tiny_digits.near[0]: unknown name 'tiny_leters'; did you mean 'tiny_letters'?"
        in shown[0]
    )


def test_a_failed_job_shows_its_log(workspace, edited):
    edited(TINY, lambda text: text.replace("classes: [0, 1, 2]", "classes: [0, 1, 12]"))
    done = run_snakemake(workspace, "results/data/tiny_digits.h5", "--configfile", TINY)
    assert done.returncode != 0
    shown = done.stdout + done.stderr
    assert "classes: the data set has no class 12; its classes are numbered from 0 to 9" in shown
    assert "Traceback" not in shown
    assert not (workspace / "results/data/tiny_digits.h5").exists()
    shutil.rmtree(workspace / ".snakemake/incomplete", ignore_errors=True)


def test_a_set_that_cannot_be_had_is_left_out_and_the_report_says_so(workspace, edited):
    def more(text):
        lost = "tiny_lost: {source: npz, path: nowhere.npz, splits: test, missing: skip}"
        text = text.replace("datasets:\n", f"datasets:\n  {lost}\n")
        return text.replace("far: [tiny_photos]", "far: [tiny_photos, tiny_lost]")

    edited(TINY, more)
    done = run_snakemake(workspace, "--configfile", TINY)
    assert done.returncode == 0, done.stderr[-5000:]
    assert "going on without tiny_lost: path: " in done.stdout + done.stderr
    html = (workspace / "results/tiny/report.html").read_text()
    assert "Data sets left out" in html
    assert "delete results/data/tiny_lost.h5" in html
    sets = pd.read_csv(workspace / "results/tiny/tables/datasets.csv").set_index("name")
    assert sets.loc["tiny_lost", "n"] == 0
    assert "tiny_lost" not in set(
        pd.read_csv(workspace / "results/tiny/tables/detection.csv")["ood"]
    )
    edited(
        TINY, lambda text: text.replace(", missing: skip", "")
    )  # another study, which cannot do without it
    done = run_snakemake(
        workspace,
        "--configfile",
        TINY,
        "--force",
        "results/tiny/outputs/tiny_digits/wrn/baseline/seed0.h5",
    )
    assert "tiny_lost.h5: the data set is missing" in done.stdout + done.stderr
    assert (
        "delete this file to try again, or set missing: skip in its entry to go on without it"
        in done.stdout + done.stderr
    )


def test_own_images_and_a_second_configuration_over_the_first(workspace):
    small = workspace / "small.yaml"
    mine = "mine: {source: folder, path: mine, splits: test, on_bad: skip}"
    small.write_text(f"study: laid_over\ndatasets:\n  {mine}\n")
    both, store = ["--configfile", TINY, str(small)], "results/data/mine.h5"
    (workspace / "data/mine/cats").mkdir(parents=True)
    for n in range(3):
        Image.fromarray(np.full((8, 8), 50 * n, np.uint8)).save(
            workspace / f"data/mine/cats/{n}.png"
        )
    (workspace / "data/mine/cats/broken.png").write_bytes(b"no image")
    assert run_snakemake(workspace, store, *both).returncode == 0
    assert "broken.png" in (workspace / "results/data/mine.bad.csv").read_text()
    assert "Nothing to be done" in run_snakemake(workspace, store, *both).stderr
    Image.fromarray(np.full((8, 8), 200, np.uint8)).save(workspace / "data/mine/cats/new.png")
    assert run_snakemake(workspace, store, *both).returncode == 0  # a file was added: built again
    with h5py.File(workspace / store) as file:
        assert len(file["test/images"]) == 4
        assert json.loads(file.attrs["removed"]) == {"test": {"no image": 1}}


def test_a_figure_that_the_study_does_not_have(workspace):
    done = run_snakemake(
        workspace,
        "--configfile",
        TINY,
        "-n",
        "results/tiny/figures/reliability-tiny_photos-pixelcnn.pdf",
    )
    assert "the study tiny has no such figure; it has: reliability.pdf" in done.stdout + done.stderr


def test_a_figure_that_there_is_not(workspace):
    done = run_snakemake(
        workspace, "--configfile", TINY, "-n", "results/tiny/figures/reliabilty.pdf"
    )
    assert (
        "reliabilty.pdf: unknown name 'reliabilty'; did you mean 'reliability'?"
        in done.stdout + done.stderr
    )


def test_snakemake_report(workspace, tmp_path):
    """The report has each figure with its label and the caption of its file."""
    run_snakemake(workspace, "--configfile", TINY)
    done = run_snakemake(workspace, "--configfile", TINY, "--report", str(tmp_path / "report.zip"))
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(tmp_path / "report.zip") as archive:
        names = [name for name in archive.namelist() if name.endswith("report.html")]
        content = archive.read(min(names, key=len)).decode()  # the other one is our own page
    assert "ROC-tiny_photos-pixelcnn" in content
    assert "of one score against each OOD set, averaged over seeds" in content
