# All tables over all runs of the study: one rule. What a table reads, the arguments of its file's
# `compute_table` say (oecal/study/table_inputs.py). Detection in the conventions of other
# codebases is built on demand: snakemake results/demo/tables/detection_openood.csv


rule table:
    input:
        unpack(lambda w: given_inputs(plan_of_table(w).inputs)),
        code=lambda w: code_of("table", plan_of_table(w).components),
    output:
        report(
            "<out>/tables/{table}.csv",
            category=lambda w: "Claims" if w.table == "claims" else "Tables",
            labels={"table": "{table}"},
        ),
    log:
        "<out>/logs/tables/{table}.log",
    wildcard_constraints:
        table="|".join(table_inputs.list_tables_below("tables")),
    conda:
        "../../envs/analysis.yaml"
    params:
        module=lambda w: plan_of_table(w).module,
        arguments=lambda w: plan_of_table(w).arguments,
    message:
        "Table {wildcards.table}"
    script:
        "../scripts/table.py"


# Apart from the other tables, which have the same bytes whenever they are built; times are never
# the same twice.
use rule table as costs with:
    output:
        report("<out>/costs/{table}.csv", category="Tables", labels={"table": "{table}"}),
    wildcard_constraints:
        table="|".join(table_inputs.list_tables_below("costs")),
