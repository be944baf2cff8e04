# Figures about the likelihood and what it is worth.


rule likelihood_histograms:
    input:
        code=code_of("figure", {"figures": ["likelihood_histograms"]}),
        outputs=lambda w: of_runs(
            "outputs/{run}.h5", runs_shown("likelihood_histograms", w, first_seed=True)
        ),
    output:
        pdf="<out>/figures/likelihood_histograms{of}.pdf",
        png=report(
            "<out>/figures/likelihood_histograms{of}.png",
            caption="../../report/likelihood_histograms.rst",
            category="Figures",
            labels={"figure": "likelihood histograms{of}"},
        ),
    log:
        "<out>/logs/figures/likelihood_histograms{of}.log",
    conda:
        "../../../envs/analysis.yaml"
    params:
        figure="likelihood_histograms",
        frame={},
        draw={},
    message:
        "Figure likelihood_histograms{wildcards.of}"
    script:
        "../../scripts/figure.py"


rule likelihood_extremes:
    input:
        code=code_of("figure", {"figures": ["likelihood_extremes"]}),
        outputs=lambda w: of_runs(
            "outputs/{run}.h5", runs_shown("likelihood_extremes", w, first_seed=True)
        ),
        data=lambda w: evaluated(shown("likelihood_extremes", w)[0], "density"),
    output:
        pdf="<out>/figures/likelihood_extremes{of}.pdf",
        png=report(
            "<out>/figures/likelihood_extremes{of}.png",
            caption="../../report/likelihood_extremes.rst",
            category="Figures",
            labels={"figure": "likelihood extremes{of}"},
        ),
    log:
        "<out>/logs/figures/likelihood_extremes{of}.log",
    conda:
        "../../../envs/analysis.yaml"
    params:
        figure="likelihood_extremes",
        frame=lambda w: study.fitting(shown("likelihood_extremes", w)[0]),
        draw={},
    message:
        "Figure likelihood_extremes{wildcards.of}"
    script:
        "../../scripts/figure.py"


rule likelihood_vs_complexity:
    input:
        code=code_of("figure", {"figures": ["likelihood_vs_complexity"]}),
        outputs=lambda w: of_runs(
            "outputs/{run}.h5", runs_shown("likelihood_vs_complexity", w, first_seed=True)
        ),
        statistics=lambda w: f'{OUT}/statistics/{shown("likelihood_vs_complexity", w)[0]}.h5',
    output:
        pdf="<out>/figures/likelihood_vs_complexity{of}.pdf",
        png=report(
            "<out>/figures/likelihood_vs_complexity{of}.png",
            caption="../../report/likelihood_vs_complexity.rst",
            category="Figures",
            labels={"figure": "likelihood against complexity{of}"},
        ),
    log:
        "<out>/logs/figures/likelihood_vs_complexity{of}.log",
    conda:
        "../../../envs/analysis.yaml"
    params:
        figure="likelihood_vs_complexity",
        frame={},
        draw={},
    message:
        "Figure likelihood_vs_complexity{wildcards.of}"
    script:
        "../../scripts/figure.py"


rule constant_inputs:
    input:
        code=code_of("figure", {"figures": ["constant_inputs"]}),
        outputs=lambda w: of_runs("outputs/{run}.h5", runs_shown("constant_inputs", w)),
    output:
        pdf="<out>/figures/constant_inputs{of}.pdf",
        png=report(
            "<out>/figures/constant_inputs{of}.png",
            caption="../../report/constant_inputs.rst",
            category="Figures",
            labels={"figure": "constant inputs{of}"},
        ),
    log:
        "<out>/logs/figures/constant_inputs{of}.log",
    conda:
        "../../../envs/analysis.yaml"
    params:
        figure="constant_inputs",
        frame={},
        draw={},
    message:
        "Figure constant_inputs{wildcards.of}"
    script:
        "../../scripts/figure.py"


rule density_scores:
    input:
        code=code_of("figure", {"figures": ["density_scores"]}),
        detection="<out>/tables/detection.csv",
        published=repository_file("oecal/figures/published_density.csv"),
    output:
        pdf="<out>/figures/density_scores{of}.pdf",
        png=report(
            "<out>/figures/density_scores{of}.png",
            caption="../../report/density_scores.rst",
            category="Figures",
            labels={"figure": "density scores{of}"},
        ),
    log:
        "<out>/logs/figures/density_scores{of}.log",
    conda:
        "../../../envs/analysis.yaml"
    params:
        figure="density_scores",
        frame=lambda w: {**with_trainings("density_scores")(w), "sources": sources()},
        draw={},
    message:
        "Figure density_scores{wildcards.of}"
    script:
        "../../scripts/figure.py"


rule oe_density_gain:
    input:
        code=code_of("figure", {"figures": ["oe_density_gain"]}),
        detection="<out>/tables/detection.csv",
        likelihood="<out>/tables/likelihood.csv",
        trainings="<out>/tables/trainings.csv",
    output:
        pdf="<out>/figures/oe_density_gain{of}.pdf",
        png=report(
            "<out>/figures/oe_density_gain{of}.png",
            caption="../../report/oe_density_gain.rst",
            category="Figures",
            labels={"figure": "what OE gives a density{of}"},
        ),
    log:
        "<out>/logs/figures/oe_density_gain{of}.log",
    conda:
        "../../../envs/analysis.yaml"
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
        "../../scripts/figure.py"


rule samples:
    input:
        code=code_of("figure", {"figures": ["samples"]}),
        outputs=lambda w: of_runs("outputs/{run}.h5", runs_shown("samples", w, first_seed=True)),
    output:
        pdf="<out>/figures/samples{of}.pdf",
        png=report(
            "<out>/figures/samples{of}.png",
            caption="../../report/samples.rst",
            category="Figures",
            labels={"figure": "samples{of}"},
        ),
    log:
        "<out>/logs/figures/samples{of}.log",
    conda:
        "../../../envs/analysis.yaml"
    params:
        figure="samples",
        frame={},
        draw={},
    message:
        "Figure samples{wildcards.of}"
    script:
        "../../scripts/figure.py"


rule pit:
    input:
        code=code_of("figure", {"figures": ["pit"]}),
        outputs=lambda w: of_runs("outputs/{run}.h5", runs_shown("pit", w)),
    output:
        pdf="<out>/figures/pit{of}.pdf",
        png=report(
            "<out>/figures/pit{of}.png",
            caption="../../report/pit.rst",
            category="Figures",
            labels={"figure": "likelihood as confidence{of}"},
        ),
    log:
        "<out>/logs/figures/pit{of}.log",
    conda:
        "../../../envs/analysis.yaml"
    params:
        figure="pit",
        frame={},
        draw={},
    message:
        "Figure pit{wildcards.of}"
    script:
        "../../scripts/figure.py"
