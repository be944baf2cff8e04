# One self-contained page: tables, figures, what is seen.


rule page:
    input:
        code=closure("oecal.report"),
        template="oecal/report.html.jinja",
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
        },
    message:
        "Report"
    script:
        "../scripts/page.py"
