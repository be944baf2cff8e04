# One rule per figure, in the file of its SECTION of the report: what it is drawn from. The suffix {of} names in-distribution set and model,
# and the training where there is a figure for each; without one, the study's first.


include: "figures/likelihood.smk"
include: "figures/detection.smk"
include: "figures/calibration.smk"
include: "figures/rejection.smk"
include: "figures/limits.smk"
include: "figures/cost.smk"
