"""Claims: every mistake is one line, each verdict can come out either way, and the files in the repository fit their studies."""

import copy
import importlib
import runpy
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import yaml

from oecal.core.codegraph import ROOT
from oecal.core.errors import OecalError
from oecal.report import claim_rows
from oecal.study import check_claims, claim_entries
from oecal.study.loading import read
from oecal.tables.claims import COLUMNS, compute_table, statistic

STUDIES = {
    "demo": (["config.yaml"], 8),
    "grey28": (["studies/grey28.yaml"], 20),
    "grey28_small": (["studies/grey28.yaml", "studies/small/grey28.yaml"], 20),
}
WHERE = {"in_dist": "digits", "model": "wrn", "training": "oe_tune", "score": "msp", "kind": "far"}
PLAIN = {
    "statement": "OE lowers the FPR95.",
    "table": "detection",
    "where": WHERE,
    "minus": {"training": "baseline"},
    "value": "fpr95",
    "is": "below",
    "figure": "oe_gain",
}
VARIANTS = {
    "oe_gain": [["", ["a", "m", "oe_scratch"]], ["-a-m-oe", ["a", "m", "oe"]]],
    "roc": [["", ["a", "m"]], ["-b-m", ["b", "m"]]],
}


@pytest.fixture(scope="module")
def demo():
    return read(ROOT / "config.yaml")


@pytest.fixture
def file(tmp_path, monkeypatch):
    """Writes claims.yaml of this content where the repository is said to be.

    Returns its path there.
    """
    monkeypatch.setattr(claim_entries, "ROOT", tmp_path)

    def write(content):
        (tmp_path / "claims.yaml").write_text(
            content if isinstance(content, str) else yaml.safe_dump(content)
        )
        return "claims.yaml"

    return write


def entry(**changes):
    return {**copy.deepcopy(PLAIN), **changes}


def where(**changes):
    return entry(where={**WHERE, **changes})


@pytest.mark.parametrize("name", STUDIES)
def test_the_files_in_the_repository_fit_their_studies(name):
    paths, least = STUDIES[name]
    study = read(*(ROOT / path for path in paths))
    found = check_claims.check_claims(f"studies/claims/{name.removesuffix('_small')}.yaml", study)
    assert len(found) >= least
    assert (
        len({claim.statement for claim in found.values()})
        == len({statistic(claim) for claim in found.values()})
        == len(found)
    )
    assert {claim.criterion for claim in found.values()} == {"below", "above", "within"}
    assert all(claim.figure in study.config.figures for claim in found.values())


def test_no_file_no_claims(demo):
    assert check_claims.check_claims("", demo) == {}


def test_columns_are_those_of_the_tables():
    known = check_claims.list_claimable_tables()
    assert {"detection", "calibration", "likelihood", "promises", "resampled", "drift"} <= set(
        known
    )
    assert not {"costs", "claims", "datasets"} & set(known)
    for name in known:
        assert (
            check_claims.list_columns(name)
            == importlib.import_module(f"oecal.tables.{name}").COLUMNS
        )


MISTAKES = [
    ("a: 1", "claims.x: found 'a: 1'; expected a mapping"),
    (entry(tabel="a"), "claims.x: unknown name 'tabel'; did you mean 'table'?"),
    (
        {k: v for k, v in PLAIN.items() if k != "value"},
        "claims.x: the key 'value' is missing (a column",
    ),
    (entry(statement=" "), "claims.x.statement: found ' '; expected a sentence"),
    (
        entry(where=[1]),
        "claims.x.where: found [1]; expected a mapping (column: value, or a list of values)",
    ),
    (where(kind=[]), "claims.x.where.kind: expected a value or a list of values, found []"),
    (where(kind=None), "claims.x.where.kind: expected a name or a number, found None"),
    (
        entry(minus={"training": ["baseline"]}),
        "claims.x.minus.training: expected a name or a number, found ['baseline']",
    ),
    (entry(**{"is": "lower"}), "claims.x.is: found 'lower'; expected below, above or within"),
    (entry(than="0"), "claims.x.than: found '0'; expected a number"),
    (entry(than=float("nan")), "claims.x.than: found nan; expected a finite number"),
    (entry(**{"is": "within"}), "claims.x: the key 'margin' is missing, which `is: within` needs"),
    (entry(margin=0.1), "claims.x.margin: goes with `is: within` only; remove it"),
    (
        where(model=["wrn", "wrn_size"]),
        "claims.x.where.model: found ['wrn', 'wrn_size']; expected one name",
    ),
    (
        entry(where={"in_dist": "digits", "model": "wrn"}),
        "claims.x.where.training: found []; expected one name",
    ),
    (
        entry(minus={"ood": "photos"}),
        "claims.x.minus.ood: where has no ood to compare it with; add it there",
    ),
    (
        entry(table="detections"),
        "claims.x.table: unknown name 'detections'; did you mean 'detection'?",
    ),
    (entry(table="datasets"), "claims.x.table: unknown name 'datasets'"),
    (entry(table="../detection"), "claims.x.table: unknown name '../detection'"),
    (entry(value="fpr59"), "claims.x.value: unknown name 'fpr59'; did you mean 'fpr95'?"),
    (
        entry(value="fpr95 - auroc - ap_in"),
        "claims.x.value: found 'fpr95 - auroc - ap_in'; expected a column, or two",
    ),
    (entry(value="fpr95 + auroc"), "claims.x.value: unknown name 'fpr95 + auroc'"),
    (entry(value="__import__('os')"), "claims.x.value: unknown name"),
    (where(scores="msp"), "claims.x.where: unknown name 'scores'; did you mean 'score'?"),
    (
        where(in_dist="digit"),
        "claims.x.where.in_dist: unknown name 'digit'; did you mean 'digits'?",
    ),
    (
        where(model="pixelcnn"),
        "claims.x.where.model: unknown name 'pixelcnn'. Known names: wrn; a study without it needs",
    ),
    (
        where(training="energy_oe"),
        "claims.x.where.training: unknown name 'energy_oe'. Known names: baseline, oe_scratch, oe_tune",
    ),
    (
        entry(minus={"training": "basline"}),
        "claims.x.minus.training: unknown name 'basline'; did you mean 'baseline'?",
    ),
    (where(score="mps"), "claims.x.where.score: unknown name 'mps'; did you mean 'msp'?"),
    (where(kind="farr"), "claims.x.where.kind: unknown name 'farr'; did you mean 'far'?"),
    (
        where(ood=["faces", "uniform", "phots"]),
        "claims.x.where.ood: unknown name 'phots'; did you mean 'photos'?",
    ),
    (
        entry(minus={"score": "ensemble_msp"}),
        "claims.x.minus: has the seeds [0], but where has [0, 1, 2]",
    ),
    (entry(figure="oe_gains"), "claims.x.figure: unknown name 'oe_gains'; did you mean 'oe_gain'?"),
    (
        entry(figure="training_size"),
        "claims.x.figure: training_size does not show digits/wrn, but digits_0to7/wrn_size; name another",
    ),
]


@pytest.mark.parametrize(
    "wrong, message", MISTAKES, ids=lambda value: value[:60] if isinstance(value, str) else ""
)
def test_every_mistake_is_one_line(file, demo, wrong, message):
    path = file({"x": wrong})
    with pytest.raises(OecalError) as caught:
        check_claims.check_claims(path, demo)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "content, message",
    [
        ("", "claims: claims.yaml holds no claims"),
        ("- a\n- b\n", "claims: claims.yaml holds no claims"),
        ("a: [", "claims: claims.yaml cannot be read: while parsing"),
        (
            "a: !!python/object/apply:os.getcwd []",
            "claims: claims.yaml cannot be read: could not determine a constructor",
        ),
    ],
)
def test_a_file_that_holds_none(file, content, message):
    with pytest.raises(OecalError, match=f"^{message}") as caught:
        claim_entries.read_claims(file(content))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "path, message",
    [
        ("../claims.yaml", "claims: ../claims.yaml lies outside /.* and /"),
        ("/claims.yaml", "claims: /claims.yaml lies outside"),
        ("no.yaml", "claims: no.yaml cannot be read: No such file"),
        (".", "claims: . cannot be read: Is a directory"),
    ],
)
def test_a_path_that_leads_nowhere(file, path, message):
    file("")
    with pytest.raises(OecalError, match=f"^{message}"):
        claim_entries.read_claims(path)


def rows(training, values, score="msp", ood="x", kind="far", metric="auroc"):
    who = {
        "in_dist": "a",
        "model": "m",
        "training": training,
        "score": score,
        "ood": ood,
        "kind": kind,
    }
    return [{**who, "seed": seed, metric: value} for seed, value in enumerate(values)]


def judged(folder, content, given, **options):
    """The rows of claims.csv by name, of entries that share their table, and a detection.csv of these rows."""
    common = {"statement": "s", "table": "detection", "value": "auroc"}
    path = folder / "detection.csv"
    pd.DataFrame(given).to_csv(path, index=False)
    filled = {}
    for name, one in content.items():
        own = {"in_dist": "a", "model": "m", "training": "oe", **one.get("where", {})}
        filled[name] = claim_entries.parse_claim(f"claims.{name}", {**common, **one, "where": own})
    found = compute_table(filled, {"detection": str(path)}, VARIANTS, **options)
    assert list(found.columns) == COLUMNS
    return found.set_index("claim")


CLEAR, VAGUE = [0.10, 0.11, 0.12], [-0.1, 0.0, 0.2]
VERDICTS = [
    (CLEAR, "above", {}, "supported"),
    (CLEAR, "below", {}, "refuted"),
    (VAGUE, "above", {}, "undecided"),
    (VAGUE, "below", {}, "undecided"),
    (CLEAR, "above", {"than": 0.5}, "refuted"),
    (CLEAR, "below", {"than": 0.5}, "supported"),
    (CLEAR, "above", {"than": 0.11}, "undecided"),
    (CLEAR, "within", {"margin": 0.2}, "supported"),
    (CLEAR, "within", {"margin": 0.01}, "refuted"),
    (CLEAR, "within", {"margin": 0.11}, "undecided"),
    (CLEAR, "within", {"margin": 0.02, "than": 0.115}, "undecided"),
    (CLEAR, "within", {"margin": 0.1, "than": 0.1}, "supported"),
    ([-v for v in CLEAR], "within", {"margin": 0.01}, "refuted"),
    ([0.2] * 3, "above", {}, "supported"),
    ([0.2] * 3, "below", {}, "refuted"),
    ([0.2] * 3, "above", {"than": 0.2}, "undecided"),
    ([0.2] * 3, "within", {"margin": 0.2}, "undecided"),
    ([0.2] * 3, "within", {"margin": 0.3}, "supported"),
    ([0.2] * 3, "within", {"margin": 0.1}, "refuted"),
    ([0.2], "above", {}, "undecided"),
    ([0.2, np.nan, 0.2], "above", {}, "undecided"),
]


@pytest.mark.parametrize("values, side, more, expected", VERDICTS)
def test_each_verdict_can_come_out_either_way(tmp_path, values, side, more, expected):
    given = rows("oe", values)
    assert judged(tmp_path, {"x": {"is": side, **more}}, given).loc["x", "verdict"] == expected


def test_numbers_of_a_row(tmp_path):
    """Paired within the seed, OOD sets in equal parts: changes of 0.1, 0.2, 0.3, though the seeds lie far apart."""
    before, after = [0.1, 0.5, 0.3], [0.2, 0.7, 0.6]
    given = [
        row
        for ood, shift in (("x", 0.0), ("y", 0.1))
        for row in rows("oe", [v + shift for v in after], ood=ood)
    ]
    given += [
        row
        for ood, shift in (("x", 0.0), ("y", 0.1))
        for row in rows("baseline", [v + shift for v in before], ood=ood)
    ]
    given += rows("oe", [0.9] * 3, ood="z", kind="near") + rows("oe", [0.9] * 3, score="energy")
    content = {
        "x": {
            "where": {"kind": "far", "score": "msp"},
            "minus": {"training": "baseline"},
            "is": "above",
            "figure": "oe_gain",
        }
    }
    found = judged(tmp_path, content, given[::-1]).loc["x"]
    half = 4.302652729696142 * 0.1 / np.sqrt(3)  # t_2(0.975), from a table
    np.testing.assert_allclose(
        [found[k] for k in ("estimate", "ci_low", "ci_high")],
        [0.2, 0.2 - half, 0.2 + half],
        atol=1e-10,
    )
    np.testing.assert_allclose(found["effect"], 2.0, rtol=1e-10)
    np.testing.assert_allclose(
        found["p"], 1 - np.sqrt(12 / 14), rtol=1e-9
    )  # two degrees of freedom: p = 1 - t / sqrt(2 + t^2), t^2 = 12
    assert found["p_holm"] == found["p"]
    assert found["n"] == 3
    assert found["statistic"] == "AUROC of MSP; oe minus baseline; a/m; far"
    assert (found["figure"], found["unit"], found["is"], found["than"]) == (
        "oe_gain-a-m-oe",
        "fraction",
        "above",
        0,
    )


def test_one_seed_has_an_estimate_and_no_interval(tmp_path):
    found = judged(tmp_path, {"x": {"is": "above"}}, rows("oe", [0.7])).loc["x"]
    assert (found["estimate"], found["n"], found["verdict"]) == (0.7, 1, "undecided")
    assert found[["ci_low", "ci_high", "p", "p_holm", "effect"]].isna().all()


def test_the_family_decides(tmp_path):
    """p = 0.02 alone; beside nine claims that say nothing it is not enough."""
    values = [0.10, 0.15, 0.18]
    alone = judged(tmp_path, {"x": {"is": "above"}}, rows("oe", values)).loc["x"]
    assert 0.02 < alone["p"] < 0.05
    assert alone["verdict"] == "supported"
    others = {f"c{n}": {"is": "above", "where": {"ood": "y"}} for n in range(9)}
    family = judged(
        tmp_path,
        {"x": {"is": "above", "where": {"ood": "x"}}, **others},
        rows("oe", values) + rows("oe", VAGUE, ood="y"),
    )
    assert family.loc["x", "p"] == alone["p"]
    np.testing.assert_allclose(family.loc["x", "p_holm"], 10 * alone["p"], rtol=1e-12)
    assert family.loc["x", "verdict"] == "undecided"


def test_rounding_decides_nothing(tmp_path):
    """0.1 + 0.2 - 0.3 is not 0 in floating point."""
    given = rows("oe", [0.1 + 0.2] * 2) + rows("baseline", [0.3] * 2)
    found = judged(tmp_path, {"x": {"minus": {"training": "baseline"}, "is": "above"}}, given).loc[
        "x"
    ]
    assert (found["estimate"], found["verdict"]) == (0, "undecided")


def test_a_difference_of_columns(tmp_path):
    given = [{**row, "fpr95": row["auroc"] / 2} for row in rows("oe", [0.2, 0.4, 0.6])]
    found = judged(tmp_path, {"x": {"value": "auroc - fpr95", "is": "above"}}, given).loc["x"]
    np.testing.assert_allclose(found["estimate"], 0.2)
    assert found["statistic"] == "AUROC minus FPR95; training oe; a/m"


def test_truth_is_a_share(tmp_path):
    given = rows("oe", [True, False, True], metric="kept")
    found = judged(tmp_path, {"x": {"value": "kept", "is": "above"}}, given).loc["x"]
    np.testing.assert_allclose(found["estimate"], 2 / 3)


@pytest.mark.parametrize(
    "one, message",
    [
        (
            {"where": {"score": "mps"}},
            "claims.x.where.score: unknown name 'mps'; did you mean 'msp'? Known names: msp",
        ),
        (
            {"where": {"kind": "near"}},
            "claims.x.where.kind: unknown name 'near'. Known names: far",
        ),
        (
            {"minus": {"training": "b"}},
            "claims.x.minus.training: unknown name 'b'. Known names: oe, one_seed",
        ),
        (
            {"minus": {"training": "one_seed"}},
            "claims.x.minus: its rows have the seeds [0], but those of where have [0, 1, 2]",
        ),
        ({"value": "score"}, "claims.x.value: score holds 'msp'; write a column of numbers"),
    ],
)
def test_what_no_row_answers(tmp_path, one, message):
    given = rows("oe", CLEAR) + rows("one_seed", [0.1])
    with pytest.raises(OecalError) as caught:
        judged(tmp_path, {"x": {"is": "above", **one}}, given)
    assert str(caught.value).startswith(message)


def test_a_set_that_may_be_missing(tmp_path):
    """Without all of its rows a claim is undecided; with some, it is about these."""
    content = {
        "some": {"where": {"ood": ["x", "y"]}, "is": "above"},
        "none": {"where": {"ood": "y"}, "is": "above"},
    }
    found = judged(tmp_path, content, rows("oe", CLEAR), may_be_missing=["y"])
    assert found["n"].tolist() == [3, 0]
    assert found["verdict"].tolist() == ["supported", "undecided"]
    assert np.isnan(found.loc["none", "estimate"])
    with pytest.raises(OecalError, match="unknown name 'y'"):
        judged(tmp_path, content, rows("oe", CLEAR))


@pytest.mark.parametrize(
    "figure, training, minus, expected",
    [
        ("oe_gain", "oe", "baseline", "oe_gain-a-m-oe"),
        ("oe_gain", "baseline", "oe", "oe_gain-a-m-oe"),
        ("oe_gain", "baseline", "", "oe_gain"),
        ("roc", "oe", "baseline", "roc"),
        ("pit", "oe", "", ""),
        ("", "oe", "", ""),
    ],
)
def test_the_file_that_shows_a_claim(figure, training, minus, expected):
    own = {
        "figure": figure,
        "where": {"in_dist": "a", "model": "m", "training": training},
        "minus": {"training": minus} if minus else {},
    }
    assert (
        claim_entries.find_figure(claim_entries.parse_claim("claims.x", entry(**own)), VARIANTS)
        == expected
    )


def test_rows_of_the_report(tmp_path):
    content = {
        "far": {
            "where": {"ood": "x"},
            "minus": {"training": "baseline"},
            "is": "within",
            "margin": 0.2,
            "figure": "oe_gain",
        },
        "near": {"where": {"ood": "z"}, "is": "above", "than": 0.5, "figure": "roc"},
    }
    judged(
        tmp_path,
        content,
        rows("oe", CLEAR)
        + rows("oe", [0.7], ood="z")
        + rows("baseline", [0.1, 0.1, 0.1])
        + rows("baseline", [0.7], ood="z"),
    ).reset_index().to_csv(tmp_path / "claims.csv", index=False)
    far, near = claim_rows.rows(
        pd.read_csv(tmp_path / "claims.csv"), "s", ["oe_gain-a-m-oe"], ["studies/s.yaml"]
    )
    assert (far["criterion"], far["estimate"], far["unit"], far["n"], far["verdict"]) == (
        "within 0 ± 20",
        "1.0",
        "%",
        "3",
        "supported",
    )
    assert far["interval"] == "-1.5 to 3.5"
    assert far["link"] == "oe_gain-a-m-oe"
    assert (
        far["command"]
        == "snakemake --cores 1 --configfile studies/s.yaml results/s/figures/oe_gain-a-m-oe.pdf"
    )
    assert (near["criterion"], near["estimate"], near["interval"], near["p"]) == (
        "above 50",
        "70.0",
        "",
        "–",
    )
    assert (near["link"], near["command"].split()[-1]) == ("", "results/s/figures/roc.pdf")
    assert far["p"] == "< 0.001"


def test_the_script(tmp_path, file):
    """The claims file and the tables become claims.csv; the log says each verdict."""
    pd.DataFrame(rows("oe", CLEAR)).to_csv(tmp_path / "detection.csv", index=False)
    own = {"in_dist": "a", "model": "m", "training": "oe"}
    path = file({"oe_helps": entry(where=own, minus={}, value="auroc", **{"is": "above"})})
    fake = SimpleNamespace(
        input=SimpleNamespace(claims=path, tables=[str(tmp_path / "detection.csv")]),
        output=[str(tmp_path / "claims.csv")],
        params=SimpleNamespace(study={"figures": VARIANTS, "may_be_missing": []}),
        log=[str(tmp_path / "x.log")],
    )
    runpy.run_path(
        str(ROOT / "workflow/scripts/claims.py"),
        init_globals={"snakemake": fake},
        run_name="__main__",
    )
    found = pd.read_csv(tmp_path / "claims.csv").loc[0]
    assert found[["claim", "verdict", "figure"]].tolist() == [
        "oe_helps",
        "supported",
        "oe_gain-a-m-oe",
    ]
    assert "oe_helps: supported" in (tmp_path / "x.log").read_text()


@pytest.mark.parametrize(
    "value, unit, expected",
    [
        (-0.0004, "fraction", "0.0"),
        (0.123, "fraction", "12.3"),
        (3.14159, "bits/dim", "3.14"),
        (np.nan, "fraction", "–"),
    ],
)
def test_numbers_for_readers(value, unit, expected):
    assert claim_rows.shown(value, unit) == expected
