# On demand, a user's own images through one run: snakemake results/demo/screen/<name>/decisions.csv


rule screen:
    input:
        code=lambda w: code_of("screen", run_inputs.list_judge_components(study, screened(w).run)),
        weights=lambda w: f"{OUT}/models/{screened(w).run}/model.safetensors",
        outputs=lambda w: f"{OUT}/outputs/{screened(w).run}.h5",
        scores=lambda w: f"{OUT}/scores/{screened(w).run}.h5",
        thresholds=lambda w: f"{OUT}/thresholds/{screened(w).run}.json",
        images=lambda w: given_file(screened(w).images),
    output:
        decisions="<out>/screen/{name}/decisions.csv",
        alarms="<out>/screen/{name}/alarms.png",
        summary="<out>/screen/{name}/summary.json",
    log:
        "<out>/logs/screen/{name}.log",
    wildcard_constraints:
        name=NAME,
    conda:
        "../../envs/torch.yaml"
    threads: study.config.compute.threads
    resources:
        gpu=lambda w: gpus(),
    params:
        entry=lambda w: screened(w).model_dump(exclude_none=True),
        model=lambda w, input: str(Path(input.weights).parent),
    message:
        "Screen {wildcards.name}"
    script:
        "../scripts/screen.py"
