"""What a figure is drawn from, as its own file says it."""

import subprocess
import sys

import pytest
import yaml

from oecal.core import components
from oecal.core.codegraph import ROOT
from oecal.core.errors import OecalError
from oecal.scores.catalogue import find_score
from oecal.study.figure_files import list_figures, list_tables, read_figure
from oecal.study.figure_inputs import find_figure, list_published_sources, list_subjects
from oecal.study.loading import load

WRN = "tiny_digits/wrn"
FILE = """
SECTION = "calibration"
TITLE = "a new one"
CAPTION = (
    "What is "
    "seen."
)
FOR = ("classifier",)
{more}

def collect_data({collect}): ...

def draw_figure({draw}): ...
"""


def read_tiny():
    content = yaml.safe_load((ROOT / "studies/tiny.yaml").read_text())
    return content | {"seeds": [0, 1]}


@pytest.fixture(scope="module")
def study():
    """The tiny study with two seeds."""
    return load(read_tiny())


@pytest.fixture
def write_figure(monkeypatch, tmp_path):
    """Puts a figure `new` into a library that else has all the tables, for this test."""
    list_tables()
    monkeypatch.setattr(components, "PACKAGE", tmp_path)
    caches = (
        components.read_source,
        components.parse_component,
        components.find_bindings,
        read_figure,
    )

    def write(collect="", draw="data", more=""):
        (tmp_path / "figures").mkdir()
        (tmp_path / "figures/new.py").write_text(FILE.format(collect=collect, draw=draw, more=more))

    for cached in caches:
        cached.cache_clear()
    yield write
    for cached in caches:
        cached.cache_clear()


def test_a_figure_of_runs(study):
    plan = find_figure(study, "risk_coverage")
    runs = [f"{WRN}/{training}/seed{n}.h5" for training in ("baseline", "oe_tune") for n in (0, 1)]
    assert plan.inputs == {
        "outputs": [f"results/tiny/outputs/{run}" for run in runs],
        "scores": [f"results/tiny/scores/{run}" for run in runs],
    }
    assert plan.collect_parameters == {"score": "msp", "ood_ratio": 0.2}
    assert plan.draw_parameters == {}
    assert (plan.subject, plan.section) == (("tiny_digits", "wrn"), "rejection")
    assert plan.title == "risk-coverage"
    assert plan.caption.startswith("Error rate among the accepted inputs if")


def test_a_figure_of_the_first_seed_and_the_images(study):
    plan = find_figure(study, "likelihood_extremes", "-tiny_photos-vae")
    assert plan.inputs == {
        "outputs": ["results/tiny/outputs/tiny_photos/vae/baseline/seed0.h5"],
        "data": [f"results/data/tiny_{name}.h5" for name in ("photos", "digits", "jigsaw")],
    }
    assert plan.collect_parameters == {"interpolation": "bilinear", "fit": "stretch"}
    assert plan.title == "likelihood extremes-tiny_photos-vae"


def test_a_figure_of_statistics_and_one_of_histories(study):
    assert find_figure(study, "likelihood_vs_complexity").inputs["statistics"] == (
        "results/tiny/statistics/tiny_photos.h5"
    )
    assert find_figure(study, "training_curves", "-tiny_photos-glow").inputs == {
        "history": [
            f"results/tiny/models/tiny_photos/glow/baseline/seed{n}/history.csv" for n in (0, 1)
        ]
    }


def test_figures_of_tables(study):
    """A table with the name of a parameter is written with `_table`; costs have a folder."""
    plan = find_figure(study, "oe_density_gain")
    assert plan.inputs == {
        "detection": "results/tiny/tables/detection.csv",
        "likelihood": "results/tiny/tables/likelihood.csv",
        "trainings_table": "results/tiny/tables/trainings.csv",
    }
    assert plan.collect_parameters == {
        "in_dist": "tiny_photos",
        "model": "pixelcnn",
        "trainings": ["baseline", "oe_tune"],
    }
    assert find_figure(study, "compute_cost").inputs["costs"] == "results/tiny/costs/costs.csv"
    plan = find_figure(study, "density_scores")
    assert plan.inputs["published"] == str(ROOT / "oecal/figures/published_density.csv")
    assert plan.collect_parameters["sources"] == {}


def test_parameters_of_the_drawing(study):
    plan = find_figure(study, "reliability")
    assert (plan.collect_parameters, plan.draw_parameters) == ({"ood_ratio": 0.2}, {"bins": 15})


def test_files_for_each_training_for_each_treatment_and_for_the_study(study):
    pair = ("tiny_digits", "wrn")
    assert list_subjects(study, "ood_heatmap") == {
        "": (*pair, "baseline"),
        "-tiny_digits-wrn-oe_tune": (*pair, "oe_tune"),
    }
    assert list_subjects(study, "oe_gain") == {"": (*pair, "oe_tune")}
    assert find_figure(study, "oe_gain").collect_parameters == {
        "in_dist": "tiny_digits",
        "model": "wrn",
        "first": "baseline",
        "training": "oe_tune",
    }
    assert list_subjects(study, "limits") == {"": ()}
    assert find_figure(study, "limits").inputs == {"limits": "results/tiny/tables/limits.csv"}
    assert list_subjects(study, "training_size") == {"": ("tiny_digits", "wrn_size")}


def test_only_as_many_trainings_as_fit():
    content = read_tiny()
    trainings = content["models"]["wrn"]["trainings"]
    names = [f"baseline_{n}" for n in range(read_figure("reliability").most + 1)]
    trainings |= {name: {**trainings["baseline"], "objective": "baseline"} for name in names}
    content["experiments"]["tiny_digits"]["models"]["wrn"] = names
    plan = find_figure(load(content | {"limits": {}, "figures": []}), "reliability")
    assert len(plan.inputs["outputs"]) == 2 * read_figure("reliability").most


def test_the_first_score_is_one_of_all_images():
    content = read_tiny()
    content["models"]["wrn"]["scores"] = ["odin", "energy", "msp"]
    assert find_score("odin").costly
    assert find_figure(load(content), "roc").collect_parameters == {"score": "energy"}


def test_published_sets_whole_or_in_part():
    content = {
        "study": "x",
        "datasets": {
            "mnist": {"source": "mnist"},
            "some": {"source": "mnist", "at_most": {"test": 100}},
            "zeros": {"source": "mnist", "classes": [0, 1]},
            "faces": {"source": "faces"},
        },
        "models": {"wrn": {"scores": ["msp"], "trainings": {"baseline": {"epochs": 1, "lr": 0.1}}}},
        "experiments": {"mnist": {"models": {"wrn": ["baseline"]}, "far": ["some", "faces"]}},
    }
    assert list_published_sources(load(content)) == {"mnist": "mnist", "some": "mnist"}


@pytest.mark.parametrize(
    "name, suffix, message",
    [
        (
            "reliabilty",
            "",
            "reliabilty.pdf: unknown name 'reliabilty'; did you mean 'reliability'?",
        ),
        (
            "roc",
            "-tiny_photos-pixlcnn",
            "roc-tiny_photos-pixlcnn.pdf: the study tiny has no such figure; it has: roc.pdf, "
            "roc-tiny_photos-pixelcnn.pdf, roc-tiny_photos-vae.pdf, roc-tiny_photos-glow.pdf; "
            "did you mean roc-tiny_photos-pixelcnn.pdf?",
        ),
        (
            "reliability",
            "-tiny_photos-glow",
            "the study tiny has no such figure; it has: reliability.pdf",
        ),
    ],
)
def test_no_such_figure(study, name, suffix, message):
    with pytest.raises(OecalError) as caught:
        find_figure(study, name, suffix)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_figure_that_fits_nothing():
    content = read_tiny()
    del content["experiments"]["tiny_digits"]["attacks"]
    content["figures"] = []
    with pytest.raises(OecalError, match="it has: none, as nothing in the study fits"):
        find_figure(load(content), "attacks")


def test_a_file_of_a_figure(write_figure):
    write_figure("detection, history, first, training", "data, bins", 'PER = "training"\nMOST = 3')
    assert list_figures() == ["new"]
    figure = read_figure("new")
    assert (figure.title, figure.caption, figure.most) == ("a new one", "What is seen.", 3)
    assert figure.collect_arguments == ("detection", "history", "first", "training")
    assert figure.draw_arguments == ("bins",)


@pytest.mark.parametrize(
    "given, message",
    [
        (
            {"collect": "detction"},
            "argument of collect_data: unknown name 'detction'; did you mean 'detection'?",
        ),
        (
            {"draw": "data, bin"},
            "argument of draw_figure: unknown name 'bin'; did you mean 'bins'?",
        ),
        ({"draw": "data, detection"}, "argument of draw_figure: unknown name 'detection'"),
        ({"collect": "training"}, "argument of collect_data: unknown name 'training'"),
        (
            {"collect": "outputs", "more": 'PER = "study"'},
            "argument of collect_data: unknown name 'outputs'",
        ),
    ],
)
def test_an_argument_that_nothing_provides(write_figure, given, message):
    write_figure(**given)
    with pytest.raises(OecalError) as caught:
        read_figure("new")
    assert f"oecal/figures/new.py: {message}" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_constant_that_is_missing(write_figure, tmp_path):
    write_figure()
    path = tmp_path / "figures/new.py"
    path.write_text(path.read_text().replace("TITLE", "TITEL"))
    with pytest.raises(OecalError, match="^oecal/figures/new.py has no constant TITLE$"):
        read_figure("new")


def test_figures_are_read_without_importing_them():
    code = (
        "import sys; from oecal.study.figure_files import *; "
        "[read_figure(name) for name in list_figures()]; "
        "assert not {'pandas', 'matplotlib', 'torch'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
