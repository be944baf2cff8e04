# Data sets into image stores; shared by all studies.


# On a cluster, data sets are fetched and built where Snakemake runs: its nodes may have no network.
rule dataset:
    input:
        code=lambda w: code_of("dataset", read_with(w)),
        of=derived_from,
        against=compared_with,
        own=own_files,
    output:
        "results/data/{dataset}.h5",
    log:
        "results/data/logs/{dataset}.log",
    localrule: True
    conda:
        "../../envs/analysis.yaml"
    params:
        recipe=lambda w: dataset(w).to_recipe(),
    message:
        "Data set {wildcards.dataset}"
    script:
        "../scripts/dataset.py"


# Only the data: to fetch it where there is a network, before the rest runs where there is none.
rule all_data:
    input:
        data(*study.used_datasets()),
    localrule: True
