# Data sets into image stores; shared by all studies.


# On a cluster, data sets are fetched and built where Snakemake runs: its nodes may have no network.
rule dataset:
    input:
        code=lambda w: code_of("dataset", dataset_inputs.list_reader_components(dataset(w))),
        of=lambda w: dataset_inputs.find_source_store(dataset(w)),
        against=lambda w: dataset_inputs.list_compared(dataset(w)),
        own=lambda w: [
            given_file(path)
            for path in dataset_inputs.list_own_files(dataset(w), config["data_root"])
        ],
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
        run_inputs.list_stores(study.used_datasets()),
    localrule: True
