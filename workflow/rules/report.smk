# One self-contained page: answer, claims, tables, figures, what is seen. And its tables of results for a thesis.


rule page:
    input:
        code=find_code_files(
            "oecal.report.page", *(f"oecal.figures.{name}" for name in study.config["figures"])
        ),
        template="oecal/report/page.html.jinja",
        published=["oecal/report/published_oe.csv", "oecal/figures/published_density.csv"],
        captions=[f"workflow/report/{name}.rst" for name in study.config["figures"]],
        tables=tables(),
        figures=figures(["png"]),
    output:
        report("<out>/report.html", category="Report"),
    log:
        "<out>/logs/report.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        study={
            "name": study.name,
            "figures": [[f, list(variants(f).items())] for f in study.config["figures"]],
            "configfiles": configfiles(),
            "sources": sources(),
        },
    message:
        "Report"
    script:
        "../scripts/page.py"


rule typeset:
    input:
        code=find_code_files("oecal.report.typeset"),
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
