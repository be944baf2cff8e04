# All evaluated sets of a run through its model: one HDF5 file.


rule predict:
    input:
        code=lambda w: closure("oecal.predict.run", architecture(w)),
        weights="<out>/models/<run>/model.safetensors",
        data=lambda w: evaluated(w.in_dist),
    output:
        "<out>/outputs/<run>.h5",
    log:
        "<out>/logs/predict/<run>.log",
    conda:
        "../../envs/torch.yaml"
    threads: study.config["compute"]["threads"]
    resources:
        gpu=gpus(),
    params:
        training=lambda w: study.training(w.in_dist, w.model, w.training),
        sets=lambda w: {"sets": study.sets(w.in_dist)},
    message:
        "Predict {wildcards.model} on {wildcards.in_dist}, {wildcards.training}, seed {wildcards.seed}"
    script:
        "../scripts/predict.py"
