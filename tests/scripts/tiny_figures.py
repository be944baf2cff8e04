"""The figures of the tiny study, drawn by the script of the workflow from the study's files."""

import itertools

from tests.scripts.run_script import run_script


def draw_figure(built, study, figure, in_dist, model, place):
    """Draw one figure to `place`.pdf and `place`.png, from what its rule in the workflow names."""
    runs = [r for r in study.runs(in_dist) if r.model == model and r.training != "background"]
    if figure in (
        "likelihood_histograms",
        "likelihood_extremes",
        "likelihood_vs_complexity",
        "samples",
        "feature_space",
    ):
        runs = [r for r in runs if r.seed == 0]
    detection, who = str(built / "tables/detection.csv"), {"in_dist": in_dist, "model": model}

    def paths(kind, name):
        return [str(built / kind / r.path) + name for r in runs]

    score = {"score": study.config["models"][model]["scores"][0]}
    frame, draw, inputs = {}, {}, {"outputs": paths("outputs", ".h5")}
    match figure:
        case "likelihood_extremes":
            frame, inputs["data"] = (
                study.fitting(in_dist),
                [str(p) for p in (built / "data").glob("*.h5")],
            )
        case "reliability":
            frame, draw = {"ood_ratio": 0.2}, {"bins": 15}
        case "roc":
            frame, inputs = score, {"scores": paths("scores", ".h5")}
        case "ood_heatmap" | "oe_gain":
            frame, inputs = (
                who | {"first": "baseline", "training": "oe_tune"},
                {"detection": detection},
            )
        case "score_rank":
            frame, inputs = who | {"trainings": ["baseline", "oe_tune"]}, {"detection": detection}
        case "shift_calibration" | "id_or_pooled":
            frame, inputs = (
                who | {"trainings": ["baseline", "oe_tune"]},
                {"calibration": str(built / "tables/calibration.csv")},
            )
        case (
            "decomposition"
            | "paths"
            | "promises"
            | "resampled"
            | "attacks"
            | "drift"
            | "prevalence"
        ):
            frame, inputs = (
                who | {"trainings": ["baseline", "oe_tune"]},
                {figure: str(built / f"tables/{figure}.csv")},
            )
        case "limits" | "limits_by_set":
            inputs = {"limits": str(built / "tables/limits.csv")}
        case "training_size":
            tables = {"calibration": "calibration", "trainings": "trainings", "data": "datasets"}
            frame, inputs = (
                who,
                {name: str(built / f"tables/{table}.csv") for name, table in tables.items()},
            )
        case "compute_cost":
            frame = who | {"trainings": ["baseline", "oe_tune"]}
            inputs = {"costs": str(built / "costs/costs.csv"), "detection": detection}
        case "likelihood_vs_complexity":
            inputs["statistics"] = str(built / "statistics/tiny_photos.h5")
        case "density_scores":
            frame, inputs = (
                who | {"trainings": ["baseline", "oe_tune"], "sources": {"tiny_digits": "mnist"}},
                {"detection": detection},
            )
        case "oe_density_gain":
            frame = who | {"shown": list(dict.fromkeys(r.training for r in runs))}
            inputs = {
                name: str(built / f"tables/{name}.csv")
                for name in ("detection", "likelihood", "trainings")
            }
        case "risk_coverage":
            frame, inputs["scores"] = {**score, "ood_ratio": 0.2}, paths("scores", ".h5")
        case "training_curves":
            inputs = {"history": paths("models", "/history.csv")}
    output = {"pdf": f"{place}.pdf", "png": f"{place}.png"}
    run_script(
        "figure",
        built,
        {},
        input={"code": [], **inputs},
        output=output,
        params={"figure": figure, "frame": frame, "draw": draw},
    )


def list_figures(study):
    pairs = [
        ("tiny_digits", "wrn"),
        ("tiny_digits", "wrn_size"),
        ("tiny_photos", "pixelcnn"),
        ("tiny_photos", "glow"),
    ]
    return [
        (f, *pair)
        for f, pair in itertools.product(study.config["figures"], pairs)
        if pair in {run[:2] for run in study.shown(f)}
    ]
