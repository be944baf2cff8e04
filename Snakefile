# Does Outlier Exposure give a model calibrated uncertainty? The study as a list of results, each rebuilt from its dependencies:
# data sets -> trained models -> logits and likelihoods -> scores -> tables -> figures -> report.
from snakemake.utils import min_version

min_version("9.19")

# A study file given with --configfile stands alone; without one, the default study is built.
if not workflow.overwrite_configfiles:

    configfile: "config.yaml"


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
include: "workflow/rules/claims.smk"
include: "workflow/rules/screen.smk"
include: "workflow/rules/report.smk"


# On a cluster, data sets are fetched and built where Snakemake runs: its nodes may have no network.
localrules:
    all,
    all_figures,
    dataset,


rule all:
    default_target: True
    input:
        "<out>/report.html",
        tables(),
        "<out>/tables/tex",
        "<out>/tables/md",
        figures(),


# make figures
rule all_figures:
    input:
        figures(),


onstart:
    # Snakemake itself would end in a traceback.
    if not os.access(
        next(place for place in (OUT, "results", ".") if os.path.exists(place)), os.W_OK
    ):
        print(
            f"{OUT}: cannot be written; see to its permissions, or have the file system mounted for writing",
            file=sys.stderr,
        )
        sys.exit(1)
    if (
        not workflow.output_settings.log_handler_settings
    ):  # another logger (--logger) would miss what is rewritten
        logger.addFilter(
            Progress(Counter(job.rule.name for job in workflow.dag.needrun_jobs()))
        )
    # Snakemake 9 limits how many jobs may start in a second, and to that end looks for new ones once a second for each job that has ended:
    # after 250 jobs, that takes a quarter of a core. On this machine nothing is to be limited.
    if not workflow.non_local_exec:
        workflow.scheduler.job_rate_limiter = None
