# Tables over all runs of the study.
from oecal.metrics.peer_conventions import CONVENTIONS


rule table:
    input:
        code=code_of_table,
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
        measures=study.config.measures.model_dump(),
    message:
        "Table {wildcards.table}"
    script:
        "../scripts/table.py"


# On demand, to compare with another codebase's tables: snakemake
# results/demo/tables/detection_openood.csv
rule convention:
    input:
        code=code_of("convention", {"metrics": []}),
        scores=of_runs("scores/{run}.h5"),
    output:
        report(
            "<out>/tables/detection_{convention}.csv",
            category="Tables",
            labels={"table": "detection, {convention}"},
        ),
    log:
        "<out>/logs/tables/detection_{convention}.log",
    wildcard_constraints:
        convention="|".join(CONVENTIONS),
    conda:
        "../../envs/analysis.yaml"
    message:
        "Table detection in the convention {wildcards.convention}"
    script:
        "../scripts/convention.py"


rule datasets:
    input:
        code=code_of("datasets"),
        data=data(*study.used_datasets()),
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
        code=code_of("overlap"),
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


rule limits_table:
    input:
        code=code_of("limits"),
        detection="<out>/tables/detection.csv",
        calibration="<out>/tables/calibration.csv",
        attacks="<out>/tables/attacks.csv",
        trainings="<out>/tables/trainings.csv",
    output:
        report("<out>/tables/limits.csv", category="Tables", labels={"table": "limits"}),
    log:
        "<out>/logs/tables/limits.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        limits={"settings": [s._asdict() for s in limit_settings.list_settings(study)]},
    message:
        "Table limits"
    script:
        "../scripts/limits.py"


# Apart from the other tables, which have the same bytes whenever they are built; times are never
# the same twice.
rule costs:
    input:
        code=code_of("costs"),
        outputs=of_runs("costs/outputs/{run}.csv"),
        scores=of_runs("costs/scores/{run}.csv"),
    output:
        report("<out>/costs/costs.csv", category="Tables", labels={"table": "costs"}),
    log:
        "<out>/logs/tables/costs.log",
    conda:
        "../../envs/analysis.yaml"
    message:
        "Table costs"
    script:
        "../scripts/costs.py"
