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


rule datasets:
    input:
        code=closure("oecal.tables.datasets"),
        data=data(*study.datasets()),
    output:
        report("<out>/tables/datasets.csv", category="Tables", labels={"table": "datasets"}),
    log:
        "<out>/logs/tables/datasets.log",
    conda:
        "../../envs/analysis.yaml"
    message:
        "Table datasets"
    script:
        "../scripts/datasets.py"


rule overlap:
    input:
        code=closure("oecal.tables.overlap"),
        detection="<out>/tables/detection.csv",
    output:
        report("<out>/tables/overlap.csv", category="Tables", labels={"table": "overlap"}),
    log:
        "<out>/logs/tables/overlap.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        pairs={"pairs": study.overlapping()},
    message:
        "Table overlap"
    script:
        "../scripts/overlap.py"
