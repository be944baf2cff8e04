"""Every command in README and docs does what it says.

A command that would take hours, or another machine, is only started as a dry run.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from oecal.screening import command
from tests.project import copy_project

ROOT = Path(__file__).parent.parent
PAGES = [
    "README.md",
    "CONTRIBUTING.md",
    *(f"docs/{p.name}" for p in sorted((ROOT / "docs").glob("*.md"))),
]
RUN_ELSEWHERE = ("docs/extending.md",)  # tests/test_extending.py
PROGRAMS = r"(?:\.venv/bin/)?(?:make|snakemake|python|pip|pipx|apptainer|squeue|find|source|cp)\b"
# Need software or machines that are not here: only that the shell reads them.
OTHERS = ("pip", "pipx", "apptainer", "squeue", "find", "source")
WHOLE_SUITE = {"make .venv/runtime"}  # that these tests run shows that it works
MINE = "studies/mine.yaml"


def find_commands():
    """Command -> the pages that name it, without comments and blocks of other languages."""
    pages_of = {}
    for page in PAGES:
        text = re.sub(r"```\w+\n.*?```", "", (ROOT / page).read_text(), flags=re.DOTALL)
        text = re.sub(r"\\\n +", " ", text)  # a command on several lines
        for line in re.findall(rf"^    ({PROGRAMS}(?!:).*)$", text, re.MULTILINE):
            pages_of.setdefault(re.split(r"\s+#", line)[0].strip(), set()).add(page)
    return pages_of


COMMANDS = {
    command: pages for command, pages in find_commands().items() if not pages <= set(RUN_ELSEWHERE)
}


def split_words(command):
    """The words of a command, the program without its folder."""
    first, *rest = shlex.split(command)
    return [first.removeprefix(".venv/bin/"), *rest]


def list_commands_of(*programs):
    return sorted(command for command in COMMANDS if split_words(command)[0] in programs)


def run_command(arguments, folder):
    """Run a command, with the programs of this Python first."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return subprocess.run(
        arguments, cwd=folder, capture_output=True, text=True, env={**os.environ, "PATH": path}
    )


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A copy of the project with a study of its own, as the tutorial makes it."""
    folder = copy_project(
        tmp_path_factory.mktemp("commands"),
        "Makefile",
        "requirements.txt",
        "requirements-dev.txt",
        "pyproject.toml",
        "docs",
        "benchmarks",
    )
    shutil.copy(folder / "studies/own-images.yaml", folder / MINE)
    return folder


def test_commands_are_found_and_each_has_a_test():
    assert len(COMMANDS) > 30
    assert list_commands_of("make", "snakemake", "python", "cp", *OTHERS) == sorted(COMMANDS)


@pytest.mark.parametrize("command", [c for c in list_commands_of("make") if c not in WHOLE_SUITE])
def test_make(command, project):
    (project / ".venv/bin").mkdir(parents=True, exist_ok=True)
    for there in ("bin/python", "runtime", "development"):
        (project / ".venv" / there).touch()
    done = run_command([*split_words(command), "-n"], project)
    assert done.returncode == 0, done.stderr


def list_figure_commands():
    """Commands that draw one figure of the demo; there are many, so they are tried together."""
    return [
        c
        for c in list_commands_of("snakemake")
        if re.fullmatch(r"snakemake --cores 1 results/demo/figures/\w+\.pdf", c)
    ]


def test_every_figure_by_its_command(project):
    done = run_command(
        [
            "snakemake",
            "-n",
            "--cores",
            "1",
            *(split_words(command)[-1] for command in list_figure_commands()),
        ],
        project,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert len(list_figure_commands()) >= 30


@pytest.mark.parametrize(
    "command",
    sorted(
        {
            shlex.join(split_words(c))
            for c in set(list_commands_of("snakemake")) - set(list_figure_commands())
        }
    ),
)
def test_snakemake(command, project):
    """As a dry run; --report needs the results, and gets none."""
    if "conda" in split_words(command) and not shutil.which("conda"):
        pytest.skip("conda is not installed")
    arguments = [word for word in split_words(command) if word not in ("--report", "report.zip")]
    done = run_command(
        [*arguments, *([] if "--unlock" in arguments or "-n" in arguments else ["-n"])], project
    )
    assert done.returncode == 0, done.stderr[-2000:] + done.stdout[-2000:]


@pytest.mark.parametrize("command", list_commands_of(*OTHERS))
def test_the_shell_reads(command):
    done = run_command(["bash", "-n", "-c", command], ROOT)
    assert done.returncode == 0, done.stderr


def test_screen_knows_its_options():
    named = {w for c in COMMANDS if "oecal.screen" in c for w in re.findall(r"--[a-z]+", c)}
    assert named <= {
        option for action in command.make_parser()._actions for option in action.option_strings
    }


@pytest.fixture(scope="module")
def tutorial(project):
    """The tutorial's commands in order, with fewer epochs and only what the last step needs."""
    page = (ROOT / "docs/tutorial.md").read_text()
    (project / "pictures.py").write_text(re.search(r"```python\n(.*?)```", page, re.DOTALL)[1])
    target = "results/own_images/thresholds/mine/wrn/oe_tune/seed0.json"
    outputs = {}
    for line in re.findall(rf"^    ({PROGRAMS}.*)$", page, re.MULTILINE):
        if not line.startswith(("make", "source")):
            smaller = line.replace("snakemake --cores 2", f"snakemake --cores 2 {target}")
            outputs[line] = run_command(["bash", "-c", smaller], project)
        if line.startswith("cp"):
            text = (project / MINE).read_text()
            assert "epochs: 20" in text
            (project / MINE).write_text(
                text.replace("epochs: 20", "epochs: 2").replace("epochs: 5", "epochs: 1")
            )
    return outputs


def test_the_tutorial_runs_to_its_alarm(tutorial, project):
    for line, done in tutorial.items():
        alarm = (
            "oecal.screen" in line and "||" not in line
        )  # its exit status says that there was one
        assert done.returncode == (1 if alarm else 0), f"{line}\n{done.stderr[-3000:]}"
    rows = pd.read_csv(project / "decisions.csv")
    assert len(rows) == 100
    assert (rows["decision"] == "alarm").any()
    assert (project / "alarms.png").exists()
    assert list(tutorial.values())[-1].stdout.endswith("look at decisions.csv\n")


def test_the_readme_names_the_tutorials_commands():
    """So that they are run, too."""
    page = (ROOT / "README.md").read_text()
    lines = re.findall(
        r"^    .*",
        page[page.index("## Your own images") : page.index("## Everyday use")],
        re.MULTILINE,
    )
    tutorial = (ROOT / "docs/tutorial.md").read_text()
    assert len(lines) == 4
    assert [line for line in lines if line not in tutorial] == []
