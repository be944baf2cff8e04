# When to reject an image: thresholds that keep a promise, and whether they kept it.


rule thresholds:
    input:
        code=code_of("thresholds"),
        scores="<out>/scores/<run>.h5",
        outputs="<out>/outputs/<run>.h5",
    output:
        "<out>/thresholds/<run>.json",
    log:
        "<out>/logs/thresholds/<run>.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        promises={"promises": study.promises},
    message:
        "Thresholds of " + RUN
    script:
        "../scripts/thresholds.py"


rule kept_promises:
    input:
        code=code_of("table", {"tables": ["promises"]}),
        thresholds=of_runs("thresholds/{run}.json"),
        outputs=of_runs("outputs/{run}.h5"),
        scores=of_runs("scores/{run}.h5"),
    output:
        report("<out>/tables/promises.csv", category="Tables", labels={"table": "promises"}),
    log:
        "<out>/logs/tables/promises.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        measures=study.config.measures.model_dump(),
    message:
        "Table promises"
    script:
        "../scripts/table.py"


rule resampled_promises:
    input:
        code=code_of("table", {"tables": ["resampled"]}),
        outputs=of_runs("outputs/{run}.h5"),
        scores=of_runs("scores/{run}.h5"),
    output:
        report("<out>/tables/resampled.csv", category="Tables", labels={"table": "resampled"}),
    log:
        "<out>/logs/tables/resampled.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        measures={"promises": study.promises},
    message:
        "Table resampled"
    script:
        "../scripts/table.py"
