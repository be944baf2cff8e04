# All uncertainty scores of a run, from its stored outputs; no torch.


rule score:
    input:
        code=lambda w: code_of("score", run_inputs.list_score_components(study, run_of(w))),
        outputs="<out>/outputs/<run>.h5",
        statistics=lambda w: run_inputs.find_statistics(study, run_of(w)),
        background=lambda w: run_inputs.find_background(study, run_of(w)),
        seeds=lambda w: run_inputs.list_seed_outputs(study, run_of(w)),
    output:
        scores="<out>/scores/<run>.h5",
        cost="<out>/costs/scores/<run>.csv",
    log:
        "<out>/logs/score/<run>.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        scores=lambda w: {"scores": study.scores(run_of(w))},
    message:
        f"Scores of {RUN}"
    script:
        "../scripts/score.py"
