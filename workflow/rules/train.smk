# One training of one run: weights and history; resumes from a checkpoint that lies beside them.


rule train:
    input:
        code=lambda w: code_of("train", trained_with(w)),
        in_dist="results/data/{in_dist}.h5",
        outliers=outliers,
        init=init_weights,
    output:
        weights="<out>/models/<run>/model.safetensors",
        history="<out>/models/<run>/history.csv",
    log:
        "<out>/logs/train/<run>.log",
    conda:
        "../../envs/torch.yaml"
    threads: lambda w: study.config["compute"]["threads"] * processes(w)
    resources:
        gpu=lambda w: gpus() * processes(w),
    params:
        training=lambda w: study.training(w.in_dist, w.model, w.training),
    message:
        "Train {wildcards.model} on {wildcards.in_dist}, {wildcards.training}, seed {wildcards.seed}"
    script:
        "../scripts/train.py"


# Weights sampled around those of a run (SWAG), for the scores that need them.
rule swag:
    input:
        code=lambda w: code_of("swag", trained_with(w)),
        in_dist="results/data/{in_dist}.h5",
        outliers=outliers,
        weights="<out>/models/<run>/model.safetensors",
    output:
        "<out>/models/<run>/swag.safetensors",
    log:
        "<out>/logs/swag/<run>.log",
    conda:
        "../../envs/torch.yaml"
    threads: study.config["compute"]["threads"]
    resources:
        gpu=lambda w: gpus(),
    params:
        training=lambda w: study.training(w.in_dist, w.model, w.training),
        swag=lambda w: study.swag(run_of(w)),
    message:
        "Sample weights of {wildcards.model} on {wildcards.in_dist}, {wildcards.training}, seed {wildcards.seed}"
    script:
        "../scripts/swag.py"
