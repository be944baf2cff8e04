# Figures about what it costs.


rule compute_cost:
    input:
        code=code_of("figure", {"figures": ["compute_cost"]}),
        costs="<out>/costs/costs.csv",
        detection="<out>/tables/detection.csv",
    output:
        pdf="<out>/figures/compute_cost{of}.pdf",
        png=report(
            "<out>/figures/compute_cost{of}.png",
            caption="../../report/compute_cost.rst",
            category="Figures",
            labels={"figure": "compute cost{of}"},
        ),
    log:
        "<out>/logs/figures/compute_cost{of}.log",
    conda:
        "../../../envs/analysis.yaml"
    params:
        figure="compute_cost",
        frame=with_trainings("compute_cost"),
        draw={},
    message:
        "Figure compute_cost{wildcards.of}"
    script:
        "../../scripts/figure.py"


rule training_curves:
    input:
        code=code_of("figure", {"figures": ["training_curves"]}),
        history=lambda w: of_runs("models/{run}/history.csv", runs_shown("training_curves", w)),
    output:
        pdf="<out>/figures/training_curves{of}.pdf",
        png=report(
            "<out>/figures/training_curves{of}.png",
            caption="../../report/training_curves.rst",
            category="Figures",
            labels={"figure": "training curves{of}"},
        ),
    log:
        "<out>/logs/figures/training_curves{of}.log",
    conda:
        "../../../envs/analysis.yaml"
    params:
        figure="training_curves",
        frame={},
        draw={},
    message:
        "Figure training_curves{wildcards.of}"
    script:
        "../../scripts/figure.py"


rule training_size:
    input:
        code=code_of("figure", {"figures": ["training_size"]}),
        calibration="<out>/tables/calibration.csv",
        trainings="<out>/tables/trainings.csv",
        data="<out>/tables/datasets.csv",
    output:
        pdf="<out>/figures/training_size{of}.pdf",
        png=report(
            "<out>/figures/training_size{of}.png",
            caption="../../report/training_size.rst",
            category="Figures",
            labels={"figure": "training size and length{of}"},
        ),
    log:
        "<out>/logs/figures/training_size{of}.log",
    conda:
        "../../../envs/analysis.yaml"
    params:
        figure="training_size",
        frame=subject("training_size"),
        draw={},
    message:
        "Figure training_size{wildcards.of}"
    script:
        "../../scripts/figure.py"
