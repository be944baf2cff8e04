"""Claims: every mistake is one line, and the files in the repository fit their studies."""

import copy
import importlib
import runpy
from types import SimpleNamespace

import pandas as pd
import pytest
import yaml

from oecal.core.codegraph import ROOT
from oecal.core.errors import OecalError
from oecal.study import check_claims, claim_entries
from oecal.study.loading import read
from oecal.tables.claims import describe_statistic
from tests.tables.claim_rows import CLEAR, VARIANTS, rows

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
        == len({describe_statistic(claim) for claim in found.values()})
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
        "claims.x.where: found [1]; expected a mapping (column: value, or a list",
    ),
    (where(kind=[]), "claims.x.where.kind: found []; expected a value or a list of values"),
    (where(kind=None), "claims.x.where.kind: found None; expected a name or a number"),
    (
        entry(minus={"training": ["baseline"]}),
        "claims.x.minus.training: found ['baseline']; expected a name or a number",
    ),
    (entry(**{"is": "lower"}), "claims.x.is: found 'lower'; expected below, above or within"),
    (entry(than="0"), "claims.x.than: found '0'; expected a number"),
    (entry(than=float("nan")), "claims.x.than: found nan; expected a finite number"),
    (entry(**{"is": "within"}), "claims.x: the key 'margin' is missing, which `is: within` needs"),
    (entry(margin=0.1), "claims.x.margin: applies to `is: within` only; remove it"),
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
        "claims.x.minus.ood: where has no ood to compare with; add it there",
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
        "claims.x.where.model: unknown name 'pixelcnn'. Known names: wrn; for a study without it,",
    ),
    (
        where(training="energy_oe"),
        "claims.x.where.training: unknown name 'energy_oe'. Known names: baseline, oe_scratch",
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
        "claims.x.figure: training_size shows digits_0to7/wrn_size, not digits/wrn;",
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
        ("", "claims: claims.yaml must be a YAML mapping from names to"),
        ("- a\n- b\n", "claims: claims.yaml must be a YAML mapping from names to"),
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
        ("no.yaml", "claims: no.yaml does not exist below"),
        (".", "claims: . cannot be read: Is a directory"),
    ],
)
def test_a_path_that_leads_nowhere(file, path, message):
    file("")
    with pytest.raises(OecalError, match=f"^{message}"):
        claim_entries.read_claims(path)


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


def test_the_script(tmp_path, file):
    """The claims file and the tables become claims.csv; the log says each verdict."""
    pd.DataFrame(rows("oe", CLEAR)).to_csv(tmp_path / "detection.csv", index=False)
    own = {"in_dist": "a", "model": "m", "training": "oe"}
    path = file({"oe_helps": entry(where=own, minus={}, value="auroc", **{"is": "above"})})
    fake = SimpleNamespace(
        input={"claims": path, "claimed_tables": [str(tmp_path / "detection.csv")]},
        output=[str(tmp_path / "claims.csv")],
        params=SimpleNamespace(
            module="claims", arguments={"figure_variants": VARIANTS, "may_be_missing": []}
        ),
        log=[str(tmp_path / "x.log")],
    )
    runpy.run_path(
        str(ROOT / "workflow/scripts/table.py"),
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
