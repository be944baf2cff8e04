# Figures about calibration.


rule confidence_histograms:
    input:
        code=code_of("figure", {"figures": ["confidence_histograms"]}),
        outputs=lambda w: of_runs("outputs/{run}.h5", runs_shown("confidence_histograms", w)),
    output:
        pdf="<out>/figures/confidence_histograms{of}.pdf",
        png=report(
            "<out>/figures/confidence_histograms{of}.png",
            caption="../../report/confidence_histograms.rst",
            category="Figures",
            labels={"figure": "confidence histograms{of}"},
        ),
    log:
        "<out>/logs/figures/confidence_histograms{of}.log",
    conda:
        "../../../envs/analysis.yaml"
    params:
        figure="confidence_histograms",
        frame={},
        draw={},
    message:
        "Figure confidence_histograms{wildcards.of}"
    script:
        "../../scripts/figure.py"


rule reliability:
    input:
        code=code_of("figure", {"figures": ["reliability"]}),
        outputs=lambda w: of_runs("outputs/{run}.h5", runs_shown("reliability", w)),
    output:
        pdf="<out>/figures/reliability{of}.pdf",
        png=report(
            "<out>/figures/reliability{of}.png",
            caption="../../report/reliability.rst",
            category="Figures",
            labels={"figure": "reliability{of}"},
        ),
    log:
        "<out>/logs/figures/reliability{of}.log",
    conda:
        "../../../envs/analysis.yaml"
    params:
        figure="reliability",
        frame={"ood_ratio": study.config["measures"]["ood_ratio"]},
        draw={"bins": study.config["measures"]["bins"]},
    message:
        "Figure reliability{wildcards.of}"
    script:
        "../../scripts/figure.py"


rule shift_calibration:
    input:
        code=code_of("figure", {"figures": ["shift_calibration"]}),
        calibration="<out>/tables/calibration.csv",
    output:
        pdf="<out>/figures/shift_calibration{of}.pdf",
        png=report(
            "<out>/figures/shift_calibration{of}.png",
            caption="../../report/shift_calibration.rst",
            category="Figures",
            labels={"figure": "calibration under shift{of}"},
        ),
    log:
        "<out>/logs/figures/shift_calibration{of}.log",
    conda:
        "../../../envs/analysis.yaml"
    params:
        figure="shift_calibration",
        frame=with_trainings("shift_calibration"),
        draw={},
    message:
        "Figure shift_calibration{wildcards.of}"
    script:
        "../../scripts/figure.py"


rule id_or_pooled:
    input:
        code=code_of("figure", {"figures": ["id_or_pooled"]}),
        calibration="<out>/tables/calibration.csv",
    output:
        pdf="<out>/figures/id_or_pooled{of}.pdf",
        png=report(
            "<out>/figures/id_or_pooled{of}.png",
            caption="../../report/id_or_pooled.rst",
            category="Figures",
            labels={"figure": "calibration on ID or pooled{of}"},
        ),
    log:
        "<out>/logs/figures/id_or_pooled{of}.log",
    conda:
        "../../../envs/analysis.yaml"
    params:
        figure="id_or_pooled",
        frame=with_trainings("id_or_pooled"),
        draw={},
    message:
        "Figure id_or_pooled{wildcards.of}"
    script:
        "../../scripts/figure.py"


rule prevalence:
    input:
        code=code_of("figure", {"figures": ["prevalence"]}),
        prevalence="<out>/tables/prevalence.csv",
    output:
        pdf="<out>/figures/prevalence{of}.pdf",
        png=report(
            "<out>/figures/prevalence{of}.png",
            caption="../../report/prevalence.rst",
            category="Figures",
            labels={"figure": "calibration by share of OOD{of}"},
        ),
    log:
        "<out>/logs/figures/prevalence{of}.log",
    conda:
        "../../../envs/analysis.yaml"
    params:
        figure="prevalence",
        frame=with_trainings("prevalence"),
        draw={},
    message:
        "Figure prevalence{wildcards.of}"
    script:
        "../../scripts/figure.py"
