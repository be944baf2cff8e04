# Tables over all runs of the study.


rule table:
    input:
        code=lambda w: closure(f"oecal.tables.{w.table}"),
        outputs=of_runs("outputs/{run}.h5"),
        scores=of_runs("scores/{run}.h5"),
    output:
        report("<out>/tables/{table}.csv", category="Tables", labels={"table": "{table}"}),
    log:
        "<out>/logs/tables/{table}.log",
    wildcard_constraints:
        table="|".join(TABLES),
    conda:
        "../../envs/analysis.yaml"
    params:
        measures=study.config["measures"],
    message:
        "Table {wildcards.table}"
    script:
        "../scripts/table.py"
