# Does Outlier Exposure give a model calibrated uncertainty? The study as a list of results, each
# rebuilt from its dependencies: data sets -> trained models -> logits and likelihoods -> scores ->
# tables -> figures -> report.
from pathlib import Path

from snakemake.utils import min_version

from oecal.core import snakemake_parts

min_version("9.27")

# A study given with --configfile, or as a module's configuration, stands alone. Without one, the
# study is config.yaml in the working directory, or else the repository's, which is the default.
if not config or snakemake_parts.list_config_files(workflow) == []:

    default = "config.yaml"

    configfile: default if Path(default).exists() else workflow.source_path(default)


include: "workflow/rules/common.smk"


pathvars:
    out=f"results/{study.name}",
    run="{in_dist}/{model}/{training}/seed{seed}",


wildcard_constraints:
    dataset=NAME,
    in_dist=NAME,
    model=NAME,
    training=NAME,
    seed="[0-9]+",
    of=f"(-{NAME}-{NAME}(-{NAME})?)?",


include: "workflow/rules/data.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/predict.smk"
include: "workflow/rules/score.smk"
include: "workflow/rules/measure.smk"
include: "workflow/rules/reject.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/screen.smk"
include: "workflow/rules/report.smk"


rule all:
    default_target: True
    input:
        "<out>/report.html",
        tables(),
        "<out>/tables/tex",
        "<out>/tables/md",
        figure_inputs.list_figure_paths(study, "pdf", "png"),
    localrule: True


# make figures
rule all_figures:
    input:
        figure_inputs.list_figure_paths(study, "pdf", "png"),
    localrule: True


onstart:
    # Snakemake itself would end in a traceback.
    if not os.access(
        next(place for place in (OUT, "results", ".") if os.path.exists(place)), os.W_OK
    ):
        print(
            f"{OUT}: cannot be written; check its permissions, or mount the file system for writing",
            file=sys.stderr,
        )
        sys.exit(1)
    if waiting := snakemake_parts.count_waiting_jobs(workflow):
        logger.addFilter(Progress(waiting))
    snakemake_parts.lift_rate_limit(workflow)
