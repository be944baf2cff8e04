# When to reject an image: thresholds that keep a promise, and whether they kept it.


rule thresholds:
    input:
        code=code_of("thresholds"),
        scores="<out>/scores/<run>.h5",
        outputs="<out>/outputs/<run>.h5",
    output:
        "<out>/thresholds/<run>.json",
    log:
        "<out>/logs/thresholds/<run>.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        promises={"promises": study.promises},
    message:
        f"Thresholds of {RUN}"
    script:
        "../scripts/thresholds.py"
