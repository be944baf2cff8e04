# All evaluated sets of a run through its model, one HDF5 file, and what that cost. Statistics that
# need no model, once for each in-distribution set.


rule predict:
    input:
        code=lambda w: code_of("predict", run_inputs.list_model_components(study, run_of(w))),
        weights="<out>/models/<run>/model.safetensors",
        swag=lambda w: run_inputs.find_swag_weights(study, run_of(w)),
        data=lambda w: run_inputs.list_evaluated(study, w.in_dist, study.kind(w.model)),
    output:
        outputs="<out>/outputs/<run>.h5",
        cost="<out>/costs/outputs/<run>.csv",
    log:
        "<out>/logs/predict/<run>.log",
    conda:
        "../../envs/torch.yaml"
    threads: study.config.compute.threads
    resources:
        gpu=lambda w: gpus(),
    params:
        training=lambda w: study.training(w.in_dist, w.model, w.training),
        more=lambda w: study.prediction(run_of(w)),
        sets=lambda w: {"sets": study.sets(w.in_dist, study.kind(w.model))},
    message:
        f"Predict {RUN}"
    script:
        "../scripts/predict.py"


rule statistics:
    input:
        code=code_of("statistics"),
        data=lambda w: run_inputs.list_evaluated(study, w.in_dist, "density"),
    output:
        "<out>/statistics/{in_dist}.h5",
    log:
        "<out>/logs/statistics/{in_dist}.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        images=lambda w: {
            "sets": study.sets(w.in_dist, "density"),
            "how": study.fitting(w.in_dist),
            "train": study.config.experiments[w.in_dist].predict_train,
        },
    message:
        "Statistics of the images evaluated on {wildcards.in_dist}"
    script:
        "../scripts/statistics.py"
