"""resampled.csv: promises over random splits, against closed forms."""

from itertools import combinations

import numpy as np
import pytest
from scipy.stats import binom

from oecal.core.errors import OecalError
from oecal.figures import resampled
from oecal.runs.thresholds import Guarantee, read_guarantee, select_threshold
from oecal.tables.promises import measure_errors, measure_rejection
from oecal.tables.resampled import (
    COLUMNS,
    SPLITS,
    choose_threshold,
    compute_expected,
    compute_table,
    draw_split,
    find_threshold_index,
    measure_rate,
)
from tests.run_files import written

ROLES = {
    "a/val": "id",
    "a/test": "id",
    "near/test": "near",
    "far/test": "far",
    "letters/train": "outlier",
}
SIZES = {"a/val": 400, "a/test": 600, "near/test": 400, "far/test": 300, "letters/train": 200}
REJECT, ERROR = (
    read_guarantee({"reject": 0.05}),
    read_guarantee({"error": 0.1, "ood_rate": 0.1}),
)
PROMISES = {
    "reject": {"reject": 0.05},
    "error": {"error": 0.1, "ood_rate": 0.1},
    "error_id": {"error": 0.1},
}


def most(share):
    """Splits that chance explains: exceeded once in 1,000 times."""
    return int(binom.ppf(0.999, SPLITS, share)) / SPLITS


def files(folder, scores, sizes=SIZES, kind="classifier", **key):
    """Outputs and scores of one run; scores: {place: values of the score msp}.

    A fifth of predictions above 0.5 is wrong.
    """
    if kind == "density":
        name, outputs = (
            "log_likelihood",
            {at: {"log_likelihood": np.zeros(n)} for at, n in sizes.items()},
        )
    else:
        wrong = {at: (np.arange(n) % 5 == 0) & (scores[at] > 0.5) for at, n in sizes.items()}
        name, outputs = (
            "msp",
            {
                at: {"logits": np.eye(2)[wrong[at] * 1], "labels": np.zeros(n, int)}
                for at, n in sizes.items()
            },
        )
    where = folder / "-".join(map(str, key.values()))
    where.mkdir(exist_ok=True)
    return (
        [
            written(
                where / "o.h5", {at: (ROLES[at], own) for at, own in outputs.items()}, kind, **key
            )
        ],
        [
            written(
                where / "s.h5",
                {at: (ROLES[at], {name: scores[at][:n]}) for at, n in sizes.items()},
                kind,
                **key,
            )
        ],
    )


def uniform(rng, outliers=2.0):
    """ID scores in [0, 1]; OOD ones in [0.3, 1.3], auxiliary ones from `outliers` on."""
    starts = {"near/test": 0.3, "far/test": 0.3, "letters/train": outliers}
    return {at: starts.get(at, 0.0) + rng.uniform(size=n) for at, n in SIZES.items()}


def test_split():
    s = draw_split(6, 40, 60, [30, 11])
    assert sorted([*s.val, *s.test]) == list(range(100))
    assert len(s.val) == 40
    near, far = s.outliers[s.outliers < 30], s.outliers[s.outliers >= 30] - 30
    assert (len(near), len(far)) == (5, 5)  # the smaller set's half
    assert list(map(len, s.arriving)) == [15, 6]
    assert not set(near) & set(s.arriving[0])
    assert not set(far) & set(s.arriving[1])
    assert (np.diff(s.outliers < 30) != 0).sum() > 1  # the sets are mixed
    again, other = draw_split(6, 40, 60, [30, 11]), draw_split(7, 40, 60, [30, 11])
    np.testing.assert_array_equal(s.val, again.val)
    assert set(s.val) != set(other.val)
    assert len(draw_split(0, 4, 6, []).outliers) == 0


def test_threshold_is_the_one_of_the_study(rng):
    inside, outside = rng.normal(size=300), rng.normal(size=100) + 2
    wrong = rng.uniform(size=300) < 0.1 * (inside > 0)
    for promise in (REJECT, ERROR):
        assert (
            choose_threshold(promise, inside, wrong, outside)
            == select_threshold(promise, inside, wrong, outside).threshold
        )
        assert np.isnan(choose_threshold(promise, inside[:20], wrong[:20], outside))
    tied = rng.integers(4, size=300).astype(float)
    assert (
        choose_threshold(REJECT, tied, wrong, outside)
        == select_threshold(REJECT, tied, wrong, outside).threshold
    )


def test_rate_is_the_one_of_the_table_promises(rng):
    inside, sets = rng.normal(size=300), [rng.normal(size=50) + 1, rng.normal(size=20)]
    wrong = inside > 1
    assert (
        measure_rate(REJECT, 0.5, inside, wrong, sets)
        == measure_rejection(inside <= 0.5)["realised"]
    )
    assert (
        measure_rate(ERROR, 0.5, inside, wrong, sets)
        == measure_errors(inside <= 0.5, wrong, [s <= 0.5 for s in sets], 0.1)["realised"]
    )
    assert measure_rate(read_guarantee({"error": 0.1}), 1.5, inside, wrong, sets) == np.mean(
        wrong[inside <= 1.5]
    )
    assert np.isnan(measure_rate(REJECT, np.nan, inside, wrong, sets))


def test_expected_share_of_all_splits():
    """All 3,003 ways to take 10 of 15 images, to reject at most 30% at a confidence of 60%."""
    promise = Guarantee("reject", 0.3, 0.6, 0.0)
    at, exceeds = find_threshold_index(10, 0.3, 0.6), 0
    assert 0 < at < 9
    ways = list(combinations(range(15), 10))
    for val in ways:
        above = 15 - 1 - val[at] - (10 - 1 - at)  # new test images above the threshold
        exceeds += above / 5 > 0.3
    assert compute_expected(promise, 10, 5) == pytest.approx(exceeds / len(ways))
    assert np.isnan(compute_expected(ERROR, 100, 50))
    assert np.isnan(compute_expected(REJECT, 58, 50))


def test_table(tmp_path, rng):
    """A promise is kept of outliers like those that arrive.

    Auxiliary ones, which the score tells easily, keep it for no others.
    """
    found = compute_table(*files(tmp_path, uniform(rng)), PROMISES)
    assert list(found) == COLUMNS
    by = found.set_index(["promise", "outliers"])
    assert by.index.tolist() == [
        ("reject", "none"),
        ("error", "like_test"),
        ("error", "auxiliary"),
        ("error_id", "none"),
    ]
    assert by[["splits", "n_val", "n_test"]].drop_duplicates().to_numpy().tolist() == [
        [SPLITS, 400, 600]
    ]
    row = by.loc[("reject", "none")]
    assert row["coverage"] == pytest.approx(1 - row["mean"])
    assert row["mean"] == pytest.approx(
        (400 - find_threshold_index(400, 0.05, 0.95)) / 401, abs=0.003
    )  # Beta(k + 1, n - k)
    assert 1 - most(1 - row["expected"]) <= row["exceeds"] <= most(row["expected"])
    assert 0 < row["exceeds_pool"] <= most(0.05)
    assert row["q05"] < row["mean"] < row["q95"]
    assert by.loc[("error", "like_test"), "exceeds_pool"] <= most(0.05)
    assert by.loc[("error", "like_test"), "without"] < SPLITS / 4
    row = by.loc[("error", "auxiliary")]
    assert row["without"] == 0
    assert min(row["exceeds"], row["exceeds_pool"]) > 0.8
    assert row["mean"] > 0.11
    assert by.loc[("error_id", "none"), "exceeds_pool"] <= most(0.05)


def test_ties(tmp_path, rng):
    """Three values; 4% of the images have the last one: none is rejected, or these."""
    scores = {
        at: np.searchsorted([0.5, 0.96], rng.uniform(size=n)).astype(float)
        for at, n in SIZES.items()
    }
    row = compute_table(*files(tmp_path, scores), {"reject": {"reject": 0.05}}).iloc[0]
    assert row["mean"] < 0.05
    assert row["exceeds"] <= most(row["expected"])
    assert row["exceeds_pool"] <= most(0.05)


def test_too_few_images(tmp_path, rng):
    sizes = SIZES | {"a/val": 50}
    found = compute_table(
        *files(tmp_path, uniform(rng) | {"a/val": rng.uniform(size=50)}, sizes),
        {"reject": {"reject": 0.05}},
    )
    row = found.iloc[0]
    assert row[["without", "exceeds", "exceeds_pool", "coverage"]].tolist() == [SPLITS, 0, 0, 0]
    assert row[["mean", "q05", "q95", "expected"]].isna().all()


def test_what_a_run_lacks(tmp_path, rng):
    scores = uniform(rng)
    found = compute_table(
        *files(
            tmp_path, scores, {at: n for at, n in SIZES.items() if at != "letters/train"}, seed=1
        ),
        PROMISES,
    )
    assert found["outliers"].tolist() == ["none", "like_test", "none"]
    found = compute_table(
        *files(tmp_path, scores, {at: n for at, n in SIZES.items() if at.startswith("a/")}, seed=2),
        PROMISES,
    )
    assert found["promise"].tolist() == ["reject", "error_id"]
    found = compute_table(*files(tmp_path, scores, SIZES, "density", seed=3), PROMISES)
    assert found[["promise", "score"]].to_numpy().tolist() == [["reject", "log_likelihood"]]


def test_figure(tmp_path, rng):
    runs = [
        files(tmp_path, uniform(rng, start), training=t, seed=s)
        for t, start in (("baseline", 2.0), ("oe", 0.3))
        for s in (0, 1)
    ]
    outputs, scores = (
        [path for paths in kind for path in paths] for kind in zip(*runs, strict=True)
    )
    found = compute_table(outputs, scores, PROMISES)
    found.to_csv(tmp_path / "resampled.csv", index=False)
    data = resampled.collect_data(str(tmp_path / "resampled.csv"), "a", "m", ["oe", "baseline"])
    axes = resampled.draw_figure(data).axes
    assert [ax.get_title() for ax in axes] == ["OE", "baseline", "", "", "", ""]
    assert axes[2].get_ylabel().startswith("at most 10% errors among")
    own = data[(data["promise"] == "error") & (data["training"] == "oe")]
    shares = [
        f"{100 * part['exceeds'].mean():.0f}, {100 * part['exceeds_pool'].mean():.0f}"
        for _, part in own.groupby("outliers")
    ]
    assert sorted(text.get_text() for text in axes[2].texts) == sorted(shares)
    assert int(axes[2].texts[1].get_text().split(", ")[1]) <= 100 * most(
        0.05
    )  # like the images that arrive, though auxiliary
    assert int(axes[3].texts[1].get_text().split(", ")[1]) > 80
    dots = [line for line in axes[2].lines if line.get_marker() in "os"]
    np.testing.assert_allclose(
        sorted(line.get_xdata()[0] for line in dots), sorted(100 * own["mean"])
    )
    few = data.assign(without=SPLITS - 1)
    assert {
        line.get_markerfacecolor()
        for line in resampled.draw_figure(few).axes[0].lines
        if line.get_marker() == "o"
    } == {"white"}
    none = data.assign(mean=np.nan, q05=np.nan, q95=np.nan)
    assert {text.get_text() for text in resampled.draw_figure(none).axes[0].texts} == {
        "no threshold"
    }


def test_a_study_without_promises_says_so(tmp_path, rng):
    found = compute_table(*files(tmp_path, uniform(rng)), {})
    assert found["score"].isna().tolist() == [True]
    found.to_csv(tmp_path / "resampled.csv", index=False)
    with pytest.raises(OecalError, match="add one under promises"):
        resampled.collect_data(str(tmp_path / "resampled.csv"), "a", "m", ["t"])
