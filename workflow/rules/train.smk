# One training of one run: weights and history; resumes from a checkpoint that lies beside them.


rule train:
    input:
        code=lambda w: code_of("train", run_inputs.list_training_components(study, run_of(w))),
        in_dist="results/data/{in_dist}.h5",
        outliers=lambda w: run_inputs.list_outliers(study, run_of(w)),
        init=lambda w: run_inputs.find_initial_weights(study, run_of(w)),
    output:
        weights="<out>/models/<run>/model.safetensors",
        history="<out>/models/<run>/history.csv",
    log:
        "<out>/logs/train/<run>.log",
    conda:
        "../../envs/torch.yaml"
    threads: lambda w: study.config.compute.threads * run_inputs.count_processes(study, run_of(w))
    resources:
        gpu=lambda w: gpus() * run_inputs.count_processes(study, run_of(w)),
    params:
        training=lambda w: study.training(w.in_dist, w.model, w.training),
    message:
        f"Train {RUN}"
    script:
        "../scripts/train.py"


# Weights sampled around those of a run (SWAG), for the scores that need them.
rule swag:
    input:
        code=lambda w: code_of("swag", run_inputs.list_training_components(study, run_of(w))),
        in_dist="results/data/{in_dist}.h5",
        outliers=lambda w: run_inputs.list_outliers(study, run_of(w)),
        weights="<out>/models/<run>/model.safetensors",
    output:
        "<out>/models/<run>/swag.safetensors",
    log:
        "<out>/logs/swag/<run>.log",
    conda:
        "../../envs/torch.yaml"
    threads: study.config.compute.threads
    resources:
        gpu=lambda w: gpus(),
    params:
        training=lambda w: study.training(w.in_dist, w.model, w.training),
        swag=lambda w: study.swag(run_of(w)),
    message:
        f"Sample weights of {RUN}"
    script:
        "../scripts/swag.py"
