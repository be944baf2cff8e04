# Figures about detection of OOD images.


rule roc:
    input:
        code=code_of("figure", {"figures": ["roc"]}),
        scores=lambda w: of_runs("scores/{run}.h5", runs_shown("roc", w)),
    output:
        pdf="<out>/figures/roc{of}.pdf",
        png=report(
            "<out>/figures/roc{of}.png",
            caption="../../report/roc.rst",
            category="Figures",
            labels={"figure": "ROC{of}"},
        ),
    log:
        "<out>/logs/figures/roc{of}.log",
    conda:
        "../../../envs/analysis.yaml"
    params:
        figure="roc",
        frame=first_score("roc"),
        draw={},
    message:
        "Figure roc{wildcards.of}"
    script:
        "../../scripts/figure.py"


rule oe_gain:
    input:
        code=code_of("figure", {"figures": ["oe_gain"]}),
        detection="<out>/tables/detection.csv",
    output:
        pdf="<out>/figures/oe_gain{of}.pdf",
        png=report(
            "<out>/figures/oe_gain{of}.png",
            caption="../../report/oe_gain.rst",
            category="Figures",
            labels={"figure": "what OE gives a score{of}"},
        ),
    log:
        "<out>/logs/figures/oe_gain{of}.log",
    conda:
        "../../../envs/analysis.yaml"
    params:
        figure="oe_gain",
        frame=compared("oe_gain"),
        draw={},
    message:
        "Figure oe_gain{wildcards.of}"
    script:
        "../../scripts/figure.py"


rule score_rank:
    input:
        code=code_of("figure", {"figures": ["score_rank"]}),
        detection="<out>/tables/detection.csv",
    output:
        pdf="<out>/figures/score_rank{of}.pdf",
        png=report(
            "<out>/figures/score_rank{of}.png",
            caption="../../report/score_rank.rst",
            category="Figures",
            labels={"figure": "ranks of scores{of}"},
        ),
    log:
        "<out>/logs/figures/score_rank{of}.log",
    conda:
        "../../../envs/analysis.yaml"
    params:
        figure="score_rank",
        frame=with_trainings("score_rank"),
        draw={},
    message:
        "Figure score_rank{wildcards.of}"
    script:
        "../../scripts/figure.py"


rule ood_heatmap:
    input:
        code=code_of("figure", {"figures": ["ood_heatmap"]}),
        detection="<out>/tables/detection.csv",
    output:
        pdf="<out>/figures/ood_heatmap{of}.pdf",
        png=report(
            "<out>/figures/ood_heatmap{of}.png",
            caption="../../report/ood_heatmap.rst",
            category="Figures",
            labels={"figure": "OOD heatmap{of}"},
        ),
    log:
        "<out>/logs/figures/ood_heatmap{of}.log",
    conda:
        "../../../envs/analysis.yaml"
    params:
        figure="ood_heatmap",
        frame=compared("ood_heatmap"),
        draw={},
    message:
        "Figure ood_heatmap{wildcards.of}"
    script:
        "../../scripts/figure.py"


rule feature_space:
    input:
        code=code_of("figure", {"figures": ["feature_space"]}),
        outputs=lambda w: of_runs(
            "outputs/{run}.h5", runs_shown("feature_space", w, first_seed=True)
        ),
    output:
        pdf="<out>/figures/feature_space{of}.pdf",
        png=report(
            "<out>/figures/feature_space{of}.png",
            caption="../../report/feature_space.rst",
            category="Figures",
            labels={"figure": "feature space{of}"},
        ),
    log:
        "<out>/logs/figures/feature_space{of}.log",
    conda:
        "../../../envs/analysis.yaml"
    params:
        figure="feature_space",
        frame={},
        draw={},
    message:
        "Figure feature_space{wildcards.of}"
    script:
        "../../scripts/figure.py"


rule decomposition:
    input:
        code=code_of("figure", {"figures": ["decomposition"]}),
        decomposition="<out>/tables/decomposition.csv",
    output:
        pdf="<out>/figures/decomposition{of}.pdf",
        png=report(
            "<out>/figures/decomposition{of}.png",
            caption="../../report/decomposition.rst",
            category="Figures",
            labels={"figure": "ambiguous or unknown{of}"},
        ),
    log:
        "<out>/logs/figures/decomposition{of}.log",
    conda:
        "../../../envs/analysis.yaml"
    params:
        figure="decomposition",
        frame=with_trainings("decomposition"),
        draw={},
    message:
        "Figure decomposition{wildcards.of}"
    script:
        "../../scripts/figure.py"
