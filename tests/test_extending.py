"""The code of docs/extending.md, put into a copy of the project and run as a user would."""

import os
import re
import subprocess
import sys
from typing import NamedTuple

import h5py
import numpy as np
import pandas as pd
import pytest
from scipy.special import softmax

from oecal.core.errors import OecalError
from oecal.study.loading import read
from tests.project import ROOT, copy_project

PAGE = (ROOT / "docs/extending.md").read_text()
OUT = "results/extended"


class Block(NamedTuple):
    """The text of a file; the last block of a section is its configuration."""

    path: str
    text: str


def find_blocks(text):
    pattern = r"^\*\*(\S+)\*\*\n\n```\w+\n(.*?)```$"
    return [Block(*found) for found in re.findall(pattern, text, re.MULTILINE | re.DOTALL)]


def find_commands(program, text=PAGE):
    """The arguments of each command of this program."""
    return [line.split() for line in re.findall(rf"^    {program} (.+)$", text, re.MULTILINE)]


HEAD, *PARTS = re.split(r"^## (?:An? )?", PAGE, flags=re.MULTILINE)
SECTIONS = {
    kind: body for kind, _, body in (part.partition("\n") for part in PARTS) if find_blocks(body)
}
SMALL = find_blocks(HEAD)[0]
EVERYTHING = find_commands("snakemake", PARTS[-1])[0]
each_kind = pytest.mark.parametrize("kind", SECTIONS)


def run_python(folder, *arguments):
    """Run Python in a folder, as in a shell of its own; return its output."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "COV"))
    }
    done = subprocess.run(
        [sys.executable, *arguments], cwd=folder, capture_output=True, text=True, env=environment
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-5000:]
    return done.stdout + done.stderr


def write_block(folder, block):
    path = folder / block.path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(block.text)


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """The project with all that the page adds, and the study built."""
    folder = copy_project(tmp_path_factory.mktemp("extended"), "tests", "pyproject.toml")
    for block in find_blocks(PAGE):
        write_block(folder, block)
    run_python(folder, "-m", "snakemake", *EVERYTHING)
    return folder


def test_the_page_adds_one_of_each():
    assert list(SECTIONS) == [
        "data set",
        "model",
        "training objective",
        "score",
        "metric",
        "figure",
        "claim",
    ]
    assert len(PARTS) == len(SECTIONS) + 1


def test_the_counts_of_the_table():
    rows = re.findall(
        r"^\| \[(.+)\]\(#(.+)\) \| `(.+)` \| (\d+) \| (\d+) \| (\d+) \|$", HEAD, re.MULTILINE
    )
    expected = []
    for (kind, body), row in zip(SECTIONS.items(), rows, strict=True):
        *files, configuration = find_blocks(body)
        assert row[2] in configuration.text
        counts = (
            len(files),
            sum(file.text.count("\n") for file in files),
            configuration.text.count("\n"),
        )
        article = re.search(rf"^## (An?) {kind}$", PAGE, re.MULTILINE)[1]
        expected.append(
            (kind, f"{article} {kind}".lower().replace(" ", "-"), row[2], *map(str, counts))
        )
    assert rows == expected


@each_kind
def test_its_word_is_unknown_without_its_file(kind, tmp_path):
    *files, configuration = find_blocks(SECTIONS[kind])
    for block in (SMALL, configuration):
        write_block(tmp_path, block)
    assert not any((ROOT / file.path).exists() for file in files)
    with pytest.raises(OecalError, match="unknown name|does not exist") as caught:
        read(tmp_path / SMALL.path, tmp_path / configuration.path)
    word = re.search(r"unknown name '(\w+)'|/(\w+)\.yaml does not exist", str(caught.value))
    assert (word[1] or word[2]) in configuration.text


def test_each_command_names_a_target_and_needs_no_other_addition(project):
    configurations = []
    for body in SECTIONS.values():
        [[*cores, target, option, small, own]] = find_commands("snakemake", body)
        assert (cores, option, small, own) == (
            EVERYTHING[:2],
            "--configfile",
            SMALL.path,
            find_blocks(body)[-1].path,
        )
        assert (project / target).is_file()
        configurations.append(own)
    assert EVERYTHING[2:] == ["--configfile", SMALL.path, *configurations]
    code = f"""
from oecal.study.loading import read
for own in {configurations}:
    read("{SMALL.path}", own)
"""
    run_python(project, "-c", code)


def test_contract_tests_pick_them_up(project):
    commands = find_commands("pytest")
    names = [name for *_, name in commands]
    assert names == [
        re.sub(r".*/|\.py", "", find_blocks(SECTIONS[kind])[0].path) for kind in list(SECTIONS)[:5]
    ]
    files = [*(path for path, *_ in commands), "tests/test_docstrings.py"]
    shown = run_python(
        project,
        "-m",
        "pytest",
        "-n",
        "0",
        "-p",
        "no:cacheprovider",
        "-vv",
        *files,
        "-k",
        " or ".join(names),
    )
    for (path, *_), name in zip(commands, names, strict=True):
        assert re.search(rf"{path}::\S+\[{name}\S*\] PASSED", shown), shown


def test_data_set_and_model(project):
    detection = pd.read_csv(project / OUT / "tables/detection.csv")
    assert {"gratings", "few_uniform"} == set(detection["ood"])
    assert {"wrn", "lenet"} == set(detection["model"])
    with h5py.File(project / OUT / "outputs/few_digits/lenet/baseline/seed0.h5") as file:
        assert file["gratings/test/features"].shape == (100, 84)
        assert file["few_digits/test/logits"].shape == (150, 3)


def test_objective(project):
    history = pd.read_csv(
        project / OUT / "models/few_digits/wrn/confidence_penalty/seed0/history.csv"
    )
    assert history["entropy"].between(0, np.log(3)).all()
    np.testing.assert_allclose(
        history["loss"], history["loss_in"] - 0.1 * history["entropy"], rtol=1e-3
    )


def read_predictions(project):
    """Probabilities and labels of the ID test images."""
    with h5py.File(project / OUT / "outputs/few_digits/wrn/baseline/seed0.h5") as file:
        return softmax(file["few_digits/test/logits"][:].astype(np.float64), axis=1), file[
            "few_digits/test/labels"
        ][:]


def test_score(project):
    p, _ = read_predictions(project)
    with h5py.File(project / OUT / "scores/few_digits/wrn/baseline/seed0.h5") as file:
        np.testing.assert_allclose(
            file["few_digits/test/doctor"][:], 1 / (p**2).sum(axis=1) - 1, atol=1e-12
        )


def test_metric(project):
    p, labels = read_predictions(project)
    expected = np.mean((p.max(axis=1) >= 0.9) & (p.argmax(axis=1) != labels))
    rows = {}
    for name in ("calibration", "intervals"):
        table = pd.read_csv(project / OUT / f"tables/{name}.csv").set_index(
            ["model", "training", "post_hoc", "set"]
        )
        rows[name] = table.loc[[("wrn", "baseline", "none", "id")]]
    assert rows["calibration"]["confident_errors"].item() == pytest.approx(expected)
    interval = rows["intervals"].set_index("metric").loc["confident_errors"]
    assert interval["value"] == pytest.approx(expected)
    assert interval["low"] <= expected <= interval["high"]


def test_figure(project):
    for name in ("over_confidence", "over_confidence-few_digits-lenet"):
        assert (project / OUT / f"figures/{name}.pdf").stat().st_size > 1000
    report = (project / OUT / "report.html").read_text()
    assert "on the diagonal confidence is right on average" in report


def test_claim(project):
    claim = pd.read_csv(project / OUT / "tables/claims.csv").iloc[0]
    detection = pd.read_csv(project / OUT / "tables/detection.csv")
    rows = detection[
        (detection["model"] == "wrn")
        & (detection["training"] == "baseline")
        & (detection["ood"] == "few_uniform")
    ]
    assert claim["verdict"] == "undecided"
    assert claim["estimate"] == pytest.approx(rows[rows["score"] == "msp"]["auroc"].item())


def test_an_edit_to_the_metric_builds_its_tables_again(project):
    path = project / "oecal/metrics/confident_errors.py"
    before = path.read_text()
    path.write_text(before + "\nUNUSED = None\n")
    shown = run_python(project, "-m", "snakemake", "--dry-run", *EVERYTHING)
    path.write_text(before)
    assert set(re.findall(r"^Job \d+: Table (\w+)", shown, re.MULTILINE)) == {
        "calibration",
        "intervals",
    }
    assert not re.search(r"^Job \d+: (Train|Predict|Scores)", shown, re.MULTILINE)
