# One rule draws all figures. What a figure reads, its parameters and its caption stand in its own
# file of oecal/figures. The suffix {of} names in-distribution set and model, and the training where
# there is a figure for each; without one, the study's first.


rule figure:
    input:
        unpack(lambda w: given_inputs(plan(w.figure, w.of).inputs)),
        code=lambda w: code_of("figure", {"figures": [plan(w.figure, w.of).name]}),
    output:
        pdf="<out>/figures/{figure}{of}.pdf",
        png=report(
            "<out>/figures/{figure}{of}.png",
            caption="../report/figure.rst",
            category="Figures",
            labels=lambda w: {"figure": plan(w.figure, w.of).title},
        ),
    log:
        "<out>/logs/figures/{figure}{of}.log",
    wildcard_constraints:
        figure=NAME,
    conda:
        "../../envs/analysis.yaml"
    params:
        figure="{figure}",
        frame=lambda w: plan(w.figure, w.of).collect_parameters,
        draw=lambda w: plan(w.figure, w.of).draw_parameters,
        caption=lambda w: plan(w.figure, w.of).caption,
    message:
        "Figure {wildcards.figure}{wildcards.of}"
    script:
        "../scripts/figure.py"
