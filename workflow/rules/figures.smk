# One rule per figure: what it is drawn from. The suffix {of} names in-distribution set and model,
# and the training where there is a figure for each; without one, the study's first.


rule likelihood_histograms:
    input:
        code=closure("oecal.figures.likelihood_histograms"),
        outputs=lambda w: of_runs("outputs/{run}.h5", runs_shown("likelihood_histograms", w, first_seed=True)),
    output:
        pdf="<out>/figures/likelihood_histograms{of}.pdf",
        png=report(
            "<out>/figures/likelihood_histograms{of}.png",
            caption="../report/likelihood_histograms.rst",
            category="Figures",
            labels={"figure": "likelihood histograms{of}"},
        ),
    log:
        "<out>/logs/figures/likelihood_histograms{of}.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        figure="likelihood_histograms",
        frame={},
        draw={},
    message:
        "Figure likelihood_histograms{wildcards.of}"
    script:
        "../scripts/figure.py"


rule likelihood_extremes:
    input:
        code=closure("oecal.figures.likelihood_extremes"),
        outputs=lambda w: of_runs("outputs/{run}.h5", runs_shown("likelihood_extremes", w, first_seed=True)),
        data=lambda w: evaluated(shown("likelihood_extremes", w)[0], "density"),
    output:
        pdf="<out>/figures/likelihood_extremes{of}.pdf",
        png=report(
            "<out>/figures/likelihood_extremes{of}.png",
            caption="../report/likelihood_extremes.rst",
            category="Figures",
            labels={"figure": "likelihood extremes{of}"},
        ),
    log:
        "<out>/logs/figures/likelihood_extremes{of}.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        figure="likelihood_extremes",
        frame=lambda w: study.fitting(shown("likelihood_extremes", w)[0]),
        draw={},
    message:
        "Figure likelihood_extremes{wildcards.of}"
    script:
        "../scripts/figure.py"


rule likelihood_vs_complexity:
    input:
        code=closure("oecal.figures.likelihood_vs_complexity"),
        outputs=lambda w: of_runs("outputs/{run}.h5", runs_shown("likelihood_vs_complexity", w, first_seed=True)),
        statistics=lambda w: f'{OUT}/statistics/{shown("likelihood_vs_complexity", w)[0]}.h5',
    output:
        pdf="<out>/figures/likelihood_vs_complexity{of}.pdf",
        png=report(
            "<out>/figures/likelihood_vs_complexity{of}.png",
            caption="../report/likelihood_vs_complexity.rst",
            category="Figures",
            labels={"figure": "likelihood against complexity{of}"},
        ),
    log:
        "<out>/logs/figures/likelihood_vs_complexity{of}.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        figure="likelihood_vs_complexity",
        frame={},
        draw={},
    message:
        "Figure likelihood_vs_complexity{wildcards.of}"
    script:
        "../scripts/figure.py"


rule constant_inputs:
    input:
        code=closure("oecal.figures.constant_inputs"),
        outputs=lambda w: of_runs("outputs/{run}.h5", runs_shown("constant_inputs", w)),
    output:
        pdf="<out>/figures/constant_inputs{of}.pdf",
        png=report(
            "<out>/figures/constant_inputs{of}.png",
            caption="../report/constant_inputs.rst",
            category="Figures",
            labels={"figure": "constant inputs{of}"},
        ),
    log:
        "<out>/logs/figures/constant_inputs{of}.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        figure="constant_inputs",
        frame={},
        draw={},
    message:
        "Figure constant_inputs{wildcards.of}"
    script:
        "../scripts/figure.py"


rule density_scores:
    input:
        code=closure("oecal.figures.density_scores"),
        detection="<out>/tables/detection.csv",
        published="oecal/figures/published_density.csv",
    output:
        pdf="<out>/figures/density_scores{of}.pdf",
        png=report(
            "<out>/figures/density_scores{of}.png",
            caption="../report/density_scores.rst",
            category="Figures",
            labels={"figure": "density scores{of}"},
        ),
    log:
        "<out>/logs/figures/density_scores{of}.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        figure="density_scores",
        frame=lambda w: {**with_trainings("density_scores")(w), "sources": sources()},
        draw={},
    message:
        "Figure density_scores{wildcards.of}"
    script:
        "../scripts/figure.py"


rule oe_density_gain:
    input:
        code=closure("oecal.figures.oe_density_gain"),
        detection="<out>/tables/detection.csv",
        likelihood="<out>/tables/likelihood.csv",
        trainings="<out>/tables/trainings.csv",
    output:
        pdf="<out>/figures/oe_density_gain{of}.pdf",
        png=report(
            "<out>/figures/oe_density_gain{of}.png",
            caption="../report/oe_density_gain.rst",
            category="Figures",
            labels={"figure": "what OE gives a density{of}"},
        ),
    log:
        "<out>/logs/figures/oe_density_gain{of}.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        figure="oe_density_gain",
        frame=lambda w: {
            **subject("oe_density_gain")(w),
            "shown": trainings_shown("oe_density_gain", w),
        },
        draw={},
    message:
        "Figure oe_density_gain{wildcards.of}"
    script:
        "../scripts/figure.py"


rule samples:
    input:
        code=closure("oecal.figures.samples"),
        outputs=lambda w: of_runs("outputs/{run}.h5", runs_shown("samples", w, first_seed=True)),
    output:
        pdf="<out>/figures/samples{of}.pdf",
        png=report(
            "<out>/figures/samples{of}.png",
            caption="../report/samples.rst",
            category="Figures",
            labels={"figure": "samples{of}"},
        ),
    log:
        "<out>/logs/figures/samples{of}.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        figure="samples",
        frame={},
        draw={},
    message:
        "Figure samples{wildcards.of}"
    script:
        "../scripts/figure.py"


rule confidence_histograms:
    input:
        code=closure("oecal.figures.confidence_histograms"),
        outputs=lambda w: of_runs("outputs/{run}.h5", runs_shown("confidence_histograms", w)),
    output:
        pdf="<out>/figures/confidence_histograms{of}.pdf",
        png=report(
            "<out>/figures/confidence_histograms{of}.png",
            caption="../report/confidence_histograms.rst",
            category="Figures",
            labels={"figure": "confidence histograms{of}"},
        ),
    log:
        "<out>/logs/figures/confidence_histograms{of}.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        figure="confidence_histograms",
        frame={},
        draw={},
    message:
        "Figure confidence_histograms{wildcards.of}"
    script:
        "../scripts/figure.py"


rule reliability:
    input:
        code=closure("oecal.figures.reliability"),
        outputs=lambda w: of_runs("outputs/{run}.h5", runs_shown("reliability", w)),
    output:
        pdf="<out>/figures/reliability{of}.pdf",
        png=report(
            "<out>/figures/reliability{of}.png",
            caption="../report/reliability.rst",
            category="Figures",
            labels={"figure": "reliability{of}"},
        ),
    log:
        "<out>/logs/figures/reliability{of}.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        figure="reliability",
        frame={"ood_ratio": study.config["measures"]["ood_ratio"]},
        draw={"bins": study.config["measures"]["bins"]},
    message:
        "Figure reliability{wildcards.of}"
    script:
        "../scripts/figure.py"


rule roc:
    input:
        code=closure("oecal.figures.roc"),
        scores=lambda w: of_runs("scores/{run}.h5", runs_shown("roc", w)),
    output:
        pdf="<out>/figures/roc{of}.pdf",
        png=report(
            "<out>/figures/roc{of}.png",
            caption="../report/roc.rst",
            category="Figures",
            labels={"figure": "ROC{of}"},
        ),
    log:
        "<out>/logs/figures/roc{of}.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        figure="roc",
        frame=first_score("roc"),
        draw={},
    message:
        "Figure roc{wildcards.of}"
    script:
        "../scripts/figure.py"


rule oe_gain:
    input:
        code=closure("oecal.figures.oe_gain"),
        detection="<out>/tables/detection.csv",
    output:
        pdf="<out>/figures/oe_gain{of}.pdf",
        png=report(
            "<out>/figures/oe_gain{of}.png",
            caption="../report/oe_gain.rst",
            category="Figures",
            labels={"figure": "what OE gives a score{of}"},
        ),
    log:
        "<out>/logs/figures/oe_gain{of}.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        figure="oe_gain",
        frame=compared("oe_gain"),
        draw={},
    message:
        "Figure oe_gain{wildcards.of}"
    script:
        "../scripts/figure.py"


rule score_rank:
    input:
        code=closure("oecal.figures.score_rank"),
        detection="<out>/tables/detection.csv",
    output:
        pdf="<out>/figures/score_rank{of}.pdf",
        png=report(
            "<out>/figures/score_rank{of}.png",
            caption="../report/score_rank.rst",
            category="Figures",
            labels={"figure": "ranks of scores{of}"},
        ),
    log:
        "<out>/logs/figures/score_rank{of}.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        figure="score_rank",
        frame=with_trainings("score_rank"),
        draw={},
    message:
        "Figure score_rank{wildcards.of}"
    script:
        "../scripts/figure.py"


rule ood_heatmap:
    input:
        code=closure("oecal.figures.ood_heatmap"),
        detection="<out>/tables/detection.csv",
    output:
        pdf="<out>/figures/ood_heatmap{of}.pdf",
        png=report(
            "<out>/figures/ood_heatmap{of}.png",
            caption="../report/ood_heatmap.rst",
            category="Figures",
            labels={"figure": "OOD heatmap{of}"},
        ),
    log:
        "<out>/logs/figures/ood_heatmap{of}.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        figure="ood_heatmap",
        frame=compared("ood_heatmap"),
        draw={},
    message:
        "Figure ood_heatmap{wildcards.of}"
    script:
        "../scripts/figure.py"


rule feature_space:
    input:
        code=closure("oecal.figures.feature_space"),
        outputs=lambda w: of_runs("outputs/{run}.h5", runs_shown("feature_space", w, first_seed=True)),
    output:
        pdf="<out>/figures/feature_space{of}.pdf",
        png=report(
            "<out>/figures/feature_space{of}.png",
            caption="../report/feature_space.rst",
            category="Figures",
            labels={"figure": "feature space{of}"},
        ),
    log:
        "<out>/logs/figures/feature_space{of}.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        figure="feature_space",
        frame={},
        draw={},
    message:
        "Figure feature_space{wildcards.of}"
    script:
        "../scripts/figure.py"


rule compute_cost:
    input:
        code=closure("oecal.figures.compute_cost"),
        costs="<out>/costs/costs.csv",
        detection="<out>/tables/detection.csv",
    output:
        pdf="<out>/figures/compute_cost{of}.pdf",
        png=report(
            "<out>/figures/compute_cost{of}.png",
            caption="../report/compute_cost.rst",
            category="Figures",
            labels={"figure": "compute cost{of}"},
        ),
    log:
        "<out>/logs/figures/compute_cost{of}.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        figure="compute_cost",
        frame=with_trainings("compute_cost"),
        draw={},
    message:
        "Figure compute_cost{wildcards.of}"
    script:
        "../scripts/figure.py"


rule risk_coverage:
    input:
        code=closure("oecal.figures.risk_coverage"),
        outputs=lambda w: of_runs("outputs/{run}.h5", runs_shown("risk_coverage", w)),
        scores=lambda w: of_runs("scores/{run}.h5", runs_shown("risk_coverage", w)),
    output:
        pdf="<out>/figures/risk_coverage{of}.pdf",
        png=report(
            "<out>/figures/risk_coverage{of}.png",
            caption="../report/risk_coverage.rst",
            category="Figures",
            labels={"figure": "risk-coverage{of}"},
        ),
    log:
        "<out>/logs/figures/risk_coverage{of}.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        figure="risk_coverage",
        frame=lambda w: {
            **first_score("risk_coverage")(w),
            "ood_ratio": study.config["measures"]["ood_ratio"],
        },
        draw={},
    message:
        "Figure risk_coverage{wildcards.of}"
    script:
        "../scripts/figure.py"


rule training_curves:
    input:
        code=closure("oecal.figures.training_curves"),
        history=lambda w: of_runs("models/{run}/history.csv", runs_shown("training_curves", w)),
    output:
        pdf="<out>/figures/training_curves{of}.pdf",
        png=report(
            "<out>/figures/training_curves{of}.png",
            caption="../report/training_curves.rst",
            category="Figures",
            labels={"figure": "training curves{of}"},
        ),
    log:
        "<out>/logs/figures/training_curves{of}.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        figure="training_curves",
        frame={},
        draw={},
    message:
        "Figure training_curves{wildcards.of}"
    script:
        "../scripts/figure.py"


rule shift_calibration:
    input:
        code=closure("oecal.figures.shift_calibration"),
        calibration="<out>/tables/calibration.csv",
    output:
        pdf="<out>/figures/shift_calibration{of}.pdf",
        png=report(
            "<out>/figures/shift_calibration{of}.png",
            caption="../report/shift_calibration.rst",
            category="Figures",
            labels={"figure": "calibration under shift{of}"},
        ),
    log:
        "<out>/logs/figures/shift_calibration{of}.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        figure="shift_calibration",
        frame=with_trainings("shift_calibration"),
        draw={},
    message:
        "Figure shift_calibration{wildcards.of}"
    script:
        "../scripts/figure.py"


rule decomposition:
    input:
        code=closure("oecal.figures.decomposition"),
        decomposition="<out>/tables/decomposition.csv",
    output:
        pdf="<out>/figures/decomposition{of}.pdf",
        png=report(
            "<out>/figures/decomposition{of}.png",
            caption="../report/decomposition.rst",
            category="Figures",
            labels={"figure": "ambiguous or unknown{of}"},
        ),
    log:
        "<out>/logs/figures/decomposition{of}.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        figure="decomposition",
        frame=with_trainings("decomposition"),
        draw={},
    message:
        "Figure decomposition{wildcards.of}"
    script:
        "../scripts/figure.py"


rule pit:
    input:
        code=closure("oecal.figures.pit"),
        outputs=lambda w: of_runs("outputs/{run}.h5", runs_shown("pit", w)),
    output:
        pdf="<out>/figures/pit{of}.pdf",
        png=report(
            "<out>/figures/pit{of}.png",
            caption="../report/pit.rst",
            category="Figures",
            labels={"figure": "likelihood as confidence{of}"},
        ),
    log:
        "<out>/logs/figures/pit{of}.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        figure="pit",
        frame={},
        draw={},
    message:
        "Figure pit{wildcards.of}"
    script:
        "../scripts/figure.py"


rule paths:
    input:
        code=closure("oecal.figures.paths"),
        paths="<out>/tables/paths.csv",
    output:
        pdf="<out>/figures/paths{of}.pdf",
        png=report(
            "<out>/figures/paths{of}.png",
            caption="../report/paths.rst",
            category="Figures",
            labels={"figure": "paths{of}"},
        ),
    log:
        "<out>/logs/figures/paths{of}.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        figure="paths",
        frame=with_trainings("paths"),
        draw={},
    message:
        "Figure paths{wildcards.of}"
    script:
        "../scripts/figure.py"


rule promises:
    input:
        code=closure("oecal.figures.promises"),
        promises="<out>/tables/promises.csv",
    output:
        pdf="<out>/figures/promises{of}.pdf",
        png=report(
            "<out>/figures/promises{of}.png",
            caption="../report/promises.rst",
            category="Figures",
            labels={"figure": "promises{of}"},
        ),
    log:
        "<out>/logs/figures/promises{of}.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        figure="promises",
        frame=with_trainings("promises"),
        draw={},
    message:
        "Figure promises{wildcards.of}"
    script:
        "../scripts/figure.py"


rule drift:
    input:
        code=closure("oecal.figures.drift"),
        drift="<out>/tables/drift.csv",
    output:
        pdf="<out>/figures/drift{of}.pdf",
        png=report(
            "<out>/figures/drift{of}.png",
            caption="../report/drift.rst",
            category="Figures",
            labels={"figure": "drift{of}"},
        ),
    log:
        "<out>/logs/figures/drift{of}.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        figure="drift",
        frame=with_trainings("drift"),
        draw={},
    message:
        "Figure drift{wildcards.of}"
    script:
        "../scripts/figure.py"


rule id_or_pooled:
    input:
        code=closure("oecal.figures.id_or_pooled"),
        calibration="<out>/tables/calibration.csv",
    output:
        pdf="<out>/figures/id_or_pooled{of}.pdf",
        png=report(
            "<out>/figures/id_or_pooled{of}.png",
            caption="../report/id_or_pooled.rst",
            category="Figures",
            labels={"figure": "calibration on ID or pooled{of}"},
        ),
    log:
        "<out>/logs/figures/id_or_pooled{of}.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        figure="id_or_pooled",
        frame=with_trainings("id_or_pooled"),
        draw={},
    message:
        "Figure id_or_pooled{wildcards.of}"
    script:
        "../scripts/figure.py"


rule prevalence:
    input:
        code=closure("oecal.figures.prevalence"),
        prevalence="<out>/tables/prevalence.csv",
    output:
        pdf="<out>/figures/prevalence{of}.pdf",
        png=report(
            "<out>/figures/prevalence{of}.png",
            caption="../report/prevalence.rst",
            category="Figures",
            labels={"figure": "calibration by share of OOD{of}"},
        ),
    log:
        "<out>/logs/figures/prevalence{of}.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        figure="prevalence",
        frame=with_trainings("prevalence"),
        draw={},
    message:
        "Figure prevalence{wildcards.of}"
    script:
        "../scripts/figure.py"


rule training_size:
    input:
        code=closure("oecal.figures.training_size"),
        calibration="<out>/tables/calibration.csv",
        trainings="<out>/tables/trainings.csv",
        data="<out>/tables/datasets.csv",
    output:
        pdf="<out>/figures/training_size{of}.pdf",
        png=report(
            "<out>/figures/training_size{of}.png",
            caption="../report/training_size.rst",
            category="Figures",
            labels={"figure": "training size and length{of}"},
        ),
    log:
        "<out>/logs/figures/training_size{of}.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        figure="training_size",
        frame=subject("training_size"),
        draw={},
    message:
        "Figure training_size{wildcards.of}"
    script:
        "../scripts/figure.py"


rule resampled:
    input:
        code=closure("oecal.figures.resampled"),
        resampled="<out>/tables/resampled.csv",
    output:
        pdf="<out>/figures/resampled{of}.pdf",
        png=report(
            "<out>/figures/resampled{of}.png",
            caption="../report/resampled.rst",
            category="Figures",
            labels={"figure": "promises, resampled{of}"},
        ),
    log:
        "<out>/logs/figures/resampled{of}.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        figure="resampled",
        frame=with_trainings("resampled"),
        draw={},
    message:
        "Figure resampled{wildcards.of}"
    script:
        "../scripts/figure.py"


rule attacks:
    input:
        code=closure("oecal.figures.attacks"),
        attacks="<out>/tables/attacks.csv",
    output:
        pdf="<out>/figures/attacks{of}.pdf",
        png=report(
            "<out>/figures/attacks{of}.png",
            caption="../report/attacks.rst",
            category="Figures",
            labels={"figure": "attacks{of}"},
        ),
    log:
        "<out>/logs/figures/attacks{of}.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        figure="attacks",
        frame=with_trainings("attacks"),
        draw={},
    message:
        "Figure attacks{wildcards.of}"
    script:
        "../scripts/figure.py"


rule limits:
    input:
        code=closure("oecal.figures.limits"),
        limits="<out>/tables/limits.csv",
    output:
        pdf="<out>/figures/limits.pdf",
        png=report(
            "<out>/figures/limits.png",
            caption="../report/limits.rst",
            category="Figures",
            labels={"figure": "limits"},
        ),
    log:
        "<out>/logs/figures/limits.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        figure="limits",
        frame={},
        draw={},
    message:
        "Figure limits"
    script:
        "../scripts/figure.py"


rule limits_by_set:
    input:
        code=closure("oecal.figures.limits_by_set"),
        limits="<out>/tables/limits.csv",
    output:
        pdf="<out>/figures/limits_by_set.pdf",
        png=report(
            "<out>/figures/limits_by_set.png",
            caption="../report/limits_by_set.rst",
            category="Figures",
            labels={"figure": "limits, set by set"},
        ),
    log:
        "<out>/logs/figures/limits_by_set.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        figure="limits_by_set",
        frame={},
        draw={},
    message:
        "Figure limits_by_set"
    script:
        "../scripts/figure.py"
