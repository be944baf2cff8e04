# One training of one run: weights and history; resumes from a checkpoint that lies beside them.


rule train:
    input:
        code=code_of_training,
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
    threads: study.config["compute"]["threads"]
    resources:
        gpu=gpus(),
    params:
        training=lambda w: study.training(w.in_dist, w.model, w.training),
    message:
        "Train {wildcards.model} on {wildcards.in_dist}, {wildcards.training}, seed {wildcards.seed}"
    script:
        "../scripts/train.py"
