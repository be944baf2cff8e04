# One self-contained page: answer, claims, tables, figures, what is seen. And its tables of results
# for a thesis.


rule page:
    input:
        code=code_of("page", {"figures": study.config.figures}),
        template=repository_file("oecal/report/page.html.jinja"),
        published=[
            repository_file("oecal/report/published_oe.csv"),
            repository_file("oecal/figures/published_density.csv"),
        ],
        tables=tables(),
        figures=figure_inputs.list_figure_paths(study, "png"),
    output:
        report("<out>/report.html", category="Report"),
    log:
        "<out>/logs/report.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        study={
            "name": study.name,
            "figures": [
                [name, list(figure_inputs.list_subjects(study, name).items())]
                for name in study.config.figures
            ],
            "configfiles": configfiles(),
            "sources": figure_inputs.list_published_sources(study),
        },
    message:
        "Report"
    script:
        "../scripts/page.py"


rule typeset:
    input:
        code=code_of("typeset"),
        tables=tables(),
    output:
        tex=directory("<out>/tables/tex"),
        md=directory("<out>/tables/md"),
    log:
        "<out>/logs/typeset.log",
    conda:
        "../../envs/analysis.yaml"
    message:
        "Tables as LaTeX and Markdown"
    script:
        "../scripts/typeset.py"
