# Figures about rejection and alarms.


rule risk_coverage:
    input:
        code=code_of("figure", {"figures": ["risk_coverage"]}),
        outputs=lambda w: of_runs("outputs/{run}.h5", runs_shown("risk_coverage", w)),
        scores=lambda w: of_runs("scores/{run}.h5", runs_shown("risk_coverage", w)),
    output:
        pdf="<out>/figures/risk_coverage{of}.pdf",
        png=report(
            "<out>/figures/risk_coverage{of}.png",
            caption="../../report/risk_coverage.rst",
            category="Figures",
            labels={"figure": "risk-coverage{of}"},
        ),
    log:
        "<out>/logs/figures/risk_coverage{of}.log",
    conda:
        "../../../envs/analysis.yaml"
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
        "../../scripts/figure.py"


rule promises:
    input:
        code=code_of("figure", {"figures": ["promises"]}),
        promises="<out>/tables/promises.csv",
    output:
        pdf="<out>/figures/promises{of}.pdf",
        png=report(
            "<out>/figures/promises{of}.png",
            caption="../../report/promises.rst",
            category="Figures",
            labels={"figure": "promises{of}"},
        ),
    log:
        "<out>/logs/figures/promises{of}.log",
    conda:
        "../../../envs/analysis.yaml"
    params:
        figure="promises",
        frame=with_trainings("promises"),
        draw={},
    message:
        "Figure promises{wildcards.of}"
    script:
        "../../scripts/figure.py"


rule drift:
    input:
        code=code_of("figure", {"figures": ["drift"]}),
        drift="<out>/tables/drift.csv",
    output:
        pdf="<out>/figures/drift{of}.pdf",
        png=report(
            "<out>/figures/drift{of}.png",
            caption="../../report/drift.rst",
            category="Figures",
            labels={"figure": "drift{of}"},
        ),
    log:
        "<out>/logs/figures/drift{of}.log",
    conda:
        "../../../envs/analysis.yaml"
    params:
        figure="drift",
        frame=with_trainings("drift"),
        draw={},
    message:
        "Figure drift{wildcards.of}"
    script:
        "../../scripts/figure.py"


rule resampled:
    input:
        code=code_of("figure", {"figures": ["resampled"]}),
        resampled="<out>/tables/resampled.csv",
    output:
        pdf="<out>/figures/resampled{of}.pdf",
        png=report(
            "<out>/figures/resampled{of}.png",
            caption="../../report/resampled.rst",
            category="Figures",
            labels={"figure": "promises, resampled{of}"},
        ),
    log:
        "<out>/logs/figures/resampled{of}.log",
    conda:
        "../../../envs/analysis.yaml"
    params:
        figure="resampled",
        frame=with_trainings("resampled"),
        draw={},
    message:
        "Figure resampled{wildcards.of}"
    script:
        "../../scripts/figure.py"
