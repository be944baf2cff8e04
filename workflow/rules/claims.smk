# What the study claims, and what its tables say to that.


rule claims:
    input:
        code=code_of("claims"),
        claims=claims_file,
        tables=claimed_tables(),
    output:
        report("<out>/tables/claims.csv", category="Claims", labels={"table": "claims"}),
    log:
        "<out>/logs/tables/claims.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        study={
            "figures": {
                name: list(figure_plan.list_subjects(study, name).items())
                for name in claimed_figures()
            },
            "may_be_missing": study.may_be_missing,
        },
    message:
        "Claims"
    script:
        "../scripts/claims.py"
