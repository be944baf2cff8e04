# Figures about the limits of Outlier Exposure.


rule paths:
    input:
        code=code_of("figure", {"figures": ["paths"]}),
        paths="<out>/tables/paths.csv",
    output:
        pdf="<out>/figures/paths{of}.pdf",
        png=report(
            "<out>/figures/paths{of}.png",
            caption="../../report/paths.rst",
            category="Figures",
            labels={"figure": "paths{of}"},
        ),
    log:
        "<out>/logs/figures/paths{of}.log",
    conda:
        "../../../envs/analysis.yaml"
    params:
        figure="paths",
        frame=with_trainings("paths"),
        draw={},
    message:
        "Figure paths{wildcards.of}"
    script:
        "../../scripts/figure.py"


rule attacks:
    input:
        code=code_of("figure", {"figures": ["attacks"]}),
        attacks="<out>/tables/attacks.csv",
    output:
        pdf="<out>/figures/attacks{of}.pdf",
        png=report(
            "<out>/figures/attacks{of}.png",
            caption="../../report/attacks.rst",
            category="Figures",
            labels={"figure": "attacks{of}"},
        ),
    log:
        "<out>/logs/figures/attacks{of}.log",
    conda:
        "../../../envs/analysis.yaml"
    params:
        figure="attacks",
        frame=with_trainings("attacks"),
        draw={},
    message:
        "Figure attacks{wildcards.of}"
    script:
        "../../scripts/figure.py"


rule limits:
    input:
        code=code_of("figure", {"figures": ["limits"]}),
        limits="<out>/tables/limits.csv",
    output:
        pdf="<out>/figures/limits.pdf",
        png=report(
            "<out>/figures/limits.png",
            caption="../../report/limits.rst",
            category="Figures",
            labels={"figure": "limits"},
        ),
    log:
        "<out>/logs/figures/limits.log",
    conda:
        "../../../envs/analysis.yaml"
    params:
        figure="limits",
        frame={},
        draw={},
    message:
        "Figure limits"
    script:
        "../../scripts/figure.py"


rule limits_by_set:
    input:
        code=code_of("figure", {"figures": ["limits_by_set"]}),
        limits="<out>/tables/limits.csv",
    output:
        pdf="<out>/figures/limits_by_set.pdf",
        png=report(
            "<out>/figures/limits_by_set.png",
            caption="../../report/limits_by_set.rst",
            category="Figures",
            labels={"figure": "limits, set by set"},
        ),
    log:
        "<out>/logs/figures/limits_by_set.log",
    conda:
        "../../../envs/analysis.yaml"
    params:
        figure="limits_by_set",
        frame={},
        draw={},
    message:
        "Figure limits_by_set"
    script:
        "../../scripts/figure.py"
