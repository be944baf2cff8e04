"""The command as a new user would try it."""

import csv
import io
import json
import runpy
from pathlib import Path
from types import SimpleNamespace

import h5py
import numpy as np
import pytest
import torch
from PIL import Image

from oecal.core.codegraph import ROOT
from oecal.core.errors import OecalError
from oecal.data import store
from oecal.data.decode import decode
from oecal.data.preprocess import adapt
from oecal.models.build_network import load_weights, make_network
from oecal.models.model_spec import ModelSpec
from oecal.predict.outputs import TOLERANCE, predict_outputs
from oecal.scores.score_run import score_run as score_run
from oecal.screening.command import main
from tests.screening.small_runs import RUNS, SHAPE


def screened(capsys, study, *arguments, model="wrn"):
    """Exit status, standard output, standard error."""
    status = main(
        [
            *map(str, arguments),
            "--model",
            str(study / f"s/models/own/{model}/baseline/seed0"),
            "--threads",
            "1",
        ]
    )
    return status, *capsys.readouterr()


def table(text):
    return {Path(row["path"]).name: row for row in csv.DictReader(io.StringIO(text))}


def test_a_folder_with_everything(capsys, study, wild, tmp_path):
    files = {"sheet": tmp_path / "alarms.png", "summary": tmp_path / "summary.json"}
    _, out, err = screened(
        capsys, study, wild, "--alarm", "0.99", *(f"--{key}={path}" for key, path in files.items())
    )
    rows = table(out)
    bad = {
        name: row["reason"].split(":")[0]
        for name, row in rows.items()
        if row["decision"] == "unreadable"
    }
    assert bad == {
        "text.png": "no image",
        "cut.jpg": "cut off or damaged",
        "nothing.png": "empty file",
        "huge.png": "too large or empty",
        "pipe.png": "cannot be opened",
    }
    assert set(rows) - set(bad) == {
        "photo.jpg",
        "grey.png",
        "digit.png",
        "deep.tif",
        "moving.gif",
        "two\nlines.png",
        "a, b.png",
        r"\xff\xfe.png",
    }
    same = [rows[name] for name in ("digit.png", "a, b.png", r"\xff\xfe.png")]
    assert len({row["prediction"] for row in same}) == 1
    uncertainty, p = (
        np.array([float(row[name]) for row in same]) for name in ("uncertainty", "p_value")
    )
    np.testing.assert_allclose(uncertainty, uncertainty[0], rtol=TOLERANCE)
    assert np.ptp(p) < 1.5 / 121  # past one validation image at most, which it ties with
    summary = json.loads(files["summary"].read_text())
    assert (summary["images"], summary["unreadable"]) == (13, 5)
    assert summary["alarm"] == sum(row["decision"] == "alarm" for row in rows.values())
    assert "13 images" in err
    assert "empty file: 1" in err
    with Image.open(files["sheet"]) as sheet:
        assert sheet.format == "PNG"
        assert sheet.width == 924


def test_the_numbers(capsys, study, tmp_path):
    """Validation images again: confidence, score, p-value and decision by their definitions."""
    images = store.read_split(study / "data/own.h5", "val").images
    for n, image in enumerate(images):
        Image.fromarray(image[0]).save(tmp_path / f"{n:03}.png")
    status, out, _ = screened(
        capsys,
        study,
        tmp_path,
        "--format",
        "jsonl",
        "--alarm",
        "0.05",
        "--score",
        "msp",
        "--promise",
        "reject_20",
    )
    rows = [json.loads(line) for line in out.splitlines()]
    with h5py.File(study / "s/scores/own/wrn/baseline/seed0.h5") as file:
        expected = file["own/val/msp"][:]
    s, p = (np.array([row[name] for row in rows]) for name in ("uncertainty", "p_value"))
    np.testing.assert_allclose(s, expected, atol=1e-6)
    np.testing.assert_allclose([1 - row["confidence"] for row in rows], s, atol=1e-12)
    np.testing.assert_allclose(
        p, [(1 + (expected >= one).sum()) / 121 for one in s], atol=1.5 / 121
    )
    promise = json.loads((study / "s/thresholds/own/wrn/baseline/seed0.json").read_text())[
        "promises"
    ]["reject_20"]
    threshold = promise["scores"]["msp"]["threshold"]
    for row in rows:
        wanted = (
            "alarm"
            if row["p_value"] <= 0.05
            else "accept"
            if row["uncertainty"] <= threshold
            else "reject"
        )
        assert row["decision"] == wanted
    assert {row["decision"] for row in rows} == {"accept", "reject", "alarm"}
    assert status == 1


@pytest.mark.parametrize("name", ["mahalanobis", "kl_matching"])
def test_a_score_that_knows_the_runs_own_images(capsys, study, tmp_path, name):
    Image.fromarray(store.read_split(study / "data/own.h5", "val").images[5, 0]).save(
        tmp_path / "x.png"
    )
    _, out, _ = screened(capsys, study, tmp_path / "x.png", "--score", name)
    with h5py.File(study / "s/scores/own/wrn/baseline/seed0.h5") as file:
        np.testing.assert_allclose(
            float(table(out)["x.png"]["uncertainty"]), file[f"own/val/{name}"][5], rtol=1e-4
        )


def test_a_promise_that_cannot_be_kept_accepts_nothing(capsys, study, wild):
    status, out, err = screened(
        capsys, study, wild / "digit.png", "--promise", "impossible", "--alarm", "0.009"
    )
    assert table(out)["digit.png"]["decision"] in ("reject", "alarm")
    assert status in (0, 1)
    assert "none, all are rejected" in err


def test_a_density_model_predicts_nothing(capsys, study, wild):
    _, out, _ = screened(
        capsys, study, wild / "photo.jpg", "--promise", "reject_20", model="pixelcnn"
    )
    row = table(out)["photo.jpg"]
    assert (row["prediction"], row["confidence"]) == ("", "")
    made = make_network(ModelSpec(**RUNS["pixelcnn"]), "baseline", SHAPE, 3)
    load_weights(made, study / "s/models/own/pixelcnn/baseline/seed0/model.safetensors")
    image = adapt(decode((wild / "photo.jpg").read_bytes())[None], SHAPE, "bilinear", "crop")
    expected = -predict_outputs(made, "density", image, torch.device("cpu"))["log_likelihood"][0]
    np.testing.assert_allclose(float(row["uncertainty"]), expected, atol=1e-2)


def test_names_on_standard_input(capsys, study, wild, monkeypatch):
    """Blank lines, a name that is not there, a folder, no newline at the end."""
    names = f"{wild}/digit.png\n\n  \n{wild}/gone.png\r\n{wild}\n{wild}/photo.jpg"
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(names.encode())))
    _, out, _ = screened(capsys, study, "-")
    rows = table(out)
    assert list(rows) == ["digit.png", "gone.png", wild.name, "photo.jpg"]
    assert rows["gone.png"]["reason"] == "cannot be opened: No such file or directory"
    assert rows[wild.name]["decision"] == "unreadable"


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["/nowhere"], "/nowhere: does not exist; expected a folder"),
        (["{empty}"], "found no images in this folder"),
        (["-", "{wild}"], "-: reads names from standard input"),
        (["{wild}", "--score", "mps"], "--score: unknown name 'mps'; did you mean 'msp'?"),
        (
            ["{wild}", "--score", "odin"],
            "--score: odin needs more than a forward pass gives, "
            "or this run has no threshold for it",
        ),
        (
            ["{wild}", "--promise", "reject"],
            "--promise: unknown name 'reject'; did you mean 'reject_20'?",
        ),
        (
            ["{wild}", "--alarm", "0.001"],
            "with 120 validation images no p-value is below 0.00826; use a number from 0.0083",
        ),
        (
            ["{wild}", "--alarm", "1"],
            "--alarm: found 1; every image would be an alarm; use a number from 0.0083 to below 1",
        ),
        (["{wild}", "--output", "/nowhere/x.csv"], "/nowhere/x.csv: No such file or directory"),
    ],
)
def test_mistakes_are_one_line(capsys, study, wild, tmp_path, arguments, message):
    places = {"empty": tmp_path, "wild": wild}
    status, out, err = screened(capsys, study, *(a.format(**places) for a in arguments))
    assert status == 2
    assert not out
    assert message in err
    assert err.count("\n") == 1


def test_a_run_that_lacks_something(capsys, study, wild, tmp_path):
    assert main([str(wild), "--model", str(tmp_path)]) == 2
    assert "is not a trained run; expected results/<study>/models/" in capsys.readouterr().err
    folder = study / "s/models/own/wrn/other/seed0"
    folder.mkdir(parents=True)
    (folder / "model.safetensors").write_bytes(b"")
    assert main([str(wild), "--model", str(folder)]) == 2
    assert (
        "outputs/own/wrn/other/seed0.h5: does not exist; make it with: snakemake"
        in capsys.readouterr().err
    )


def test_no_alarm_is_exit_status_0_and_an_empty_sheet(capsys, study, wild, tmp_path):
    likely = f"{wild}/text.png"
    status, _, err = screened(capsys, study, likely, "--sheet", tmp_path / "alarms.png")
    assert status == 0
    assert "0 alarm, 1 unreadable" in err
    with Image.open(tmp_path / "alarms.png") as sheet:
        assert sheet.height == 36


def test_the_script_of_the_workflow(study, wild, tmp_path, monkeypatch):
    """An alarm is no failed job; a mistake is one."""
    output = SimpleNamespace(
        **{name: str(tmp_path / name) for name in ("decisions", "alarms", "summary")}
    )
    entry = {
        "images": str(wild),
        "run": "own/wrn/baseline/seed0",
        "alarm": 0.99,
        "promise": "reject_20",
    }
    params = SimpleNamespace(entry=entry, model=str(study / "s/models/own/wrn/baseline/seed0"))
    fake = SimpleNamespace(
        output=output,
        params=params,
        log=[str(tmp_path / "log")],
        threads=1,
        config={"compute": {"device": "cpu"}},
    )
    monkeypatch.setattr("sys.excepthook", None)
    runpy.run_path(str(ROOT / "workflow/scripts/screen.py"), init_globals={"snakemake": fake})
    summary = json.loads((tmp_path / "summary").read_text())
    assert summary["alarm"] > 0
    assert len(table((tmp_path / "decisions").read_text())) == summary["images"] == 13
    params.entry = entry | {"score": "nonsense"}
    with pytest.raises(OecalError, match="screen failed; see the error above"):
        runpy.run_path(str(ROOT / "workflow/scripts/screen.py"), init_globals={"snakemake": fake})
