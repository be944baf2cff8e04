"""The configuration of a study as a whole: what stands at its top level."""

from __future__ import annotations

from typing import Annotated, Literal

from annotated_types import Ge, Gt, Le, Lt, MinLen
from pydantic import Field, StringConstraints

from oecal.study.dataset_entries import DatasetEntry
from oecal.study.entry_types import (
    AS_WRITTEN,
    AtLeastOne,
    ConfigEntry,
    Name,
    Positive,
    Says,
    Share,
    Unique,
)
from oecal.study.experiment_entries import Experiment
from oecal.study.model_entries import Model

Seed = Annotated[int, Ge(0), Says("a seed")]
Run = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z0-9_]+(/[a-z0-9_]+){2}/seed[0-9]+$"),
    Says("a run of the study: in_dist/model/training/seedN"),
]
Setting = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z0-9_]+(/[a-z0-9_]+){2}( - [a-z0-9_]+)?$"),
    Says(
        "in_dist/model/training; after ' - ' its control, another training of this model, if that "
        "is not the first one"
    ),
]
FACTOR = "the settings of a factor, e.g. {10%: fashion/wrn/oe_10}; in quotes where it is a number"
SettingName = Annotated[str, Says("text: a number in quotes")]


class ComputeEntry(ConfigEntry):
    """Where to compute."""

    device: Annotated[
        str,
        StringConstraints(pattern="^(auto|cpu|cuda(:[0-9]+)?)$"),
    ] = "auto"
    """auto (CUDA if there is one), cpu, cuda or cuda:N"""
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """precision of training, and of evaluating density models; auto is bfloat16 autocast where the
    hardware has it, float32 elsewhere"""
    threads: Positive = 1
    """CPU threads of one training or prediction job; with 1, as many jobs run side by side as there
    are cores"""
    channels_last: bool = True
    """keep images and weights in the channels-last memory format, faster for convolutions"""


class Measures(ConfigEntry):
    """Choices of the metrics."""

    bins: Annotated[int, Ge(2)] = 15
    """number of equal-width and equal-mass calibration bins"""
    ood_rates: AtLeastOne[Annotated[Share, Says("a share")]] = [0.01, 0.05, 0.17, 0.5]
    """shares of OOD among all images at which calibration is measured"""
    resamples: Annotated[int, Ge(100)] = 1000
    """bootstrap resamples of the test images, for the intervals in the tables"""
    ood_ratio: Annotated[float, Gt(0), AS_WRITTEN] = 0.2
    """OOD images per in-distribution image where both are pooled; the Outlier Exposure paper takes
    1 to 5"""
    post_hoc: Unique[str] = ["temperature"]
    """methods of post-hoc calibration, file names in oecal/calibrators, fitted on the
    in-distribution validation images (and outlier_temperature on auxiliary outliers, too)"""
    metrics: Unique[str] = []
    """metrics beside those that every study has, file names in oecal/metrics, each a column more of
    calibration.csv or detection.csv"""
    drift_streams: Annotated[int, Ge(2)] = 100
    """simulated streams of test images"""
    drift_length: Annotated[int, Ge(2)] = 2000
    """images of such a stream"""
    drift_onset: Positive = 500
    """images of it before OOD images begin to arrive"""
    target_risk: Annotated[float, Ge(0), Le(1), AS_WRITTEN] = 0.05
    """risk at which coverage is reported"""
    target_coverage: Annotated[float, Gt(0), Le(1), AS_WRITTEN] = 0.9
    """coverage at which risk is reported"""


class Promise(ConfigEntry):
    """Either reject or error, e.g. {reject: 0.05}."""

    reject: Share | None = None
    """at most this share of the in-distribution images is rejected"""
    error: Share | None = None
    """at most this share of the accepted images is wrong or OOD"""
    ood_rate: Annotated[float, Ge(0), Lt(1), AS_WRITTEN] | None = None
    """share of OOD in what arrives; for error only"""
    confidence: Share = 0.95
    """probability, over the draw of validation images, with which it is kept"""


class Screening(ConfigEntry):
    """One folder or file of your own images, and the run that judges them."""

    images: Annotated[str, StringConstraints(pattern="^[^-]")]
    """folder or file"""
    run: Run
    """a run of the study: in_dist/model/training/seedN"""
    score: str | None = None
    """a score of one forward pass; the first one by default"""
    promise: str | None = None
    """a name under promises; the first one by default"""
    alarm: Share = 0.01
    """alarm at a p-value of at most this"""


class Configuration(ConfigEntry):
    """What a study consists of.

    The names of sources, architectures and objectives are file names in oecal/; the options of
    these components are described in their files (class Options) and checked against them.
    """

    study: Name
    """name of the study; its results go to results/<study>"""
    seeds: AtLeastOne[Seed] = [0, 1, 2]
    """one run of everything per seed; a seed decides initial weights, order of images and
    augmentation"""
    compute: ComputeEntry = Field(default_factory=ComputeEntry)
    """where to compute; moving a study between devices trains nothing again"""
    data_root: str = ""
    """folder of downloaded files, as torchvision lays them out, shared by all studies; if left out,
    the environment variable OECAL_DATA, and without that the folder data"""
    datasets: Annotated[dict[Name, DatasetEntry], MinLen(1)]
    """the data sets by name; each is built once into results/data/<name>.h5"""
    models: Annotated[dict[Name, Model], MinLen(1)]
    """the models by name"""
    experiments: Annotated[dict[str, Experiment], MinLen(1)]
    """one entry per in-distribution set (its name is a data set): the models, and what they are
    tried on"""
    measures: Measures = Field(default_factory=Measures)
    """choices of the metrics"""
    promises: dict[Name, Promise] = {
        "reject_5": Promise(reject=0.05),
        "error_5": Promise(error=0.05, ood_rate=0.05),
    }
    """what a threshold on a score is to keep, by name; thresholds are chosen on validation images,
    and measured on test images"""
    claims: str | None = ""
    """YAML file of what the study claims, each a sentence tied to a number of a table and to a
    criterion (the keys: oecal/study/claim_entries.py), path from the repository; tables/claims.csv
    says what is supported, refuted or undecided. '' or null (--config claims=) for none"""
    limits: dict[str, Annotated[dict[SettingName, Setting], MinLen(1), Says(FACTOR)]] = {}
    """what the limits of Outlier Exposure are looked for in, {factor: {setting: training}};
    tables/limits.csv and the figures limits and limits_by_set hold each setting against its
    control"""
    screen: dict[Name, Screening] = {}
    """your own images, screened on demand into results/<study>/screen/<name>"""
    figures: Unique[str] = []
    """figures to draw, file names in oecal/figures"""
