"""The figures of the tiny study, drawn by the script of the workflow from the study's files."""

from oecal.study.figure_inputs import find_figure, list_subjects
from tests.scripts.run_script import run_script


def plan_figures(study):
    """Plan all figures of the study, as the workflow does."""
    return [
        find_figure(study, name, suffix)
        for name in study.config.figures
        for suffix in list_subjects(study, name)
    ]


def draw_figure(built, plan, place):
    """Draw one figure to `place`.pdf and `place`.png from the files in the folder `built`."""

    def locate(path):
        if isinstance(path, list):
            return [locate(one) for one in path]
        path = path.replace("results/tiny/", f"{built}/")
        return path.replace("results/data/", f"{built}/data/")

    run_script(
        "figure",
        built,
        {},
        input={"code": [], **{name: locate(path) for name, path in plan.inputs.items()}},
        output={"pdf": f"{place}.pdf", "png": f"{place}.png"},
        params={
            "figure": plan.name,
            "frame": plan.collect_parameters,
            "draw": plan.draw_parameters,
        },
    )
