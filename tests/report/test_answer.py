"""The answer, and the page as a reader gets it: their numbers are those of the tables."""

import html.parser
import re

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from oecal.report.answer import pairs, sentences, setting, verdict
from oecal.report.page import ReportedStudy, render_page
from oecal.report.summary_tables import read
from oecal.study.claim_entries import filled
from oecal.tables.claims import compute_table as judged

SEEDS = (0, 1, 2)
CLASSIFIER, DENSITY = {"in_dist": "a", "model": "m"}, {"in_dist": "b", "model": "d"}


def runs(subject, trainings=("baseline", "oe")):
    return [(t, s, {**subject, "training": t, "seed": s}) for t in trainings for s in SEEDS]


@pytest.fixture
def tables():
    """A classifier and a density model, both with Outlier Exposure.

    Its effect differs from seed to seed.
    """
    noise = np.random.default_rng(0).normal(0, 0.01, 1000).tolist()
    trainings = [
        {
            **run,
            "objective": t,
            "outliers": "letters" if t == "oe" else None,
            "outlier_images": 1600 * (t == "oe"),
            "parameters": 9,
            "epochs": 2,
        }
        for subject in (CLASSIFIER, DENSITY)
        for t, _, run in runs(subject)
    ]
    detection = [
        {
            **run,
            "ood": ood,
            "kind": kind,
            "score": score,
            "auroc": auroc + gain * (t == "oe") + noise.pop(),
            "ap_out": 0.5,
            "base_rate": 0.2,
            "fpr95": 0.9 - auroc / 2 - gain * (t == "oe") + noise.pop(),
        }
        for subject, scores in (
            (CLASSIFIER, {"msp": 0, "knn": 0.3}),
            (DENSITY, {"log_likelihood": -0.2}),
        )
        for t, _, run in runs(subject)
        for score, plus in scores.items()
        for ood, kind, auroc, gain in (
            ("x", "near", 0.6 + plus, 0),
            ("y", "far", 0.4 + plus, 0.2),
            ("z", "far", 0.3 + plus, 0.1),
        )
    ]
    calibration = [
        {
            **run,
            "post_hoc": p,
            "set": name,
            "accuracy": 0.9,
            "error_auroc": 0.8 + noise.pop(),
            "rms": 0.1,
            "mean_confidence": 0.8,
            "rms_official": 0.1,
            "mad": 0.1,
            "soft_f1": 0.5,
            "temperature": 1.5,
            "ece": ece + (t == "oe") * plus + noise.pop() / 10,
            "n": n,
        }
        for t, _, run in runs(CLASSIFIER)
        for p in ("none", "temperature")
        for name, ece, plus, n in (("id", 0.02, 0.03, 800), ("pooled", 0.2, -0.1, 1000))
    ]
    likelihood = [
        {**run, "set": "b", "bpd_mean": 3 + 0.5 * (t == "oe") + noise.pop(), "n": 9}
        for t, _, run in runs(DENSITY)
    ]
    selective = [
        {**run, "score": "msp", "set": "id", "aurc": 0.02, "augrc": 0.01}
        for _, _, run in runs(CLASSIFIER)
    ]
    sets = [{"name": "a", "split": "test", "n": 800, "sha256": "0", "source": "s", "missing": None}]
    intervals = [
        {
            **run,
            "post_hoc": "none",
            "set": name,
            "metric": "ece",
            "value": 0.1,
            "low": 0,
            "high": 1,
            "difference": 0.1 if t == "oe" else None,
            "difference_low": low if t == "oe" else None,
            "difference_high": high if t == "oe" else None,
        }
        for t, _, run in runs(CLASSIFIER)
        for name, low, high in (("id", -0.01, 0.04), ("pooled", -0.1, -0.05))
    ]
    found = {
        "trainings": trainings,
        "detection": detection,
        "calibration": calibration,
        "likelihood": likelihood,
        "selective": selective,
        "datasets": sets,
        "intervals": intervals,
    }
    return {name: pd.DataFrame(rows) for name, rows in found.items()}


def text(values, digits=1, scale=100):
    """`12.3 ± 4.5`, written out again."""
    values = scale * np.asarray(values)
    half = stats.sem(values) * stats.t.ppf(0.975, len(values) - 1)
    return f"{values.mean():.{digits}f} ± {half:.{digits}f}"


def values(table, column, **where):
    for name, value in where.items():
        table = table[table[name] == value]
    return table.groupby("seed")[column].mean()


def change(table, column, **where):
    return values(table, column, training="oe", **where) - values(
        table, column, training="baseline", **where
    )


def test_the_answer_is_that_of_the_tables(tables):
    paradox, detection, calibration, price, limits = sentences(tables)
    msp = {"in_dist": "a", "score": "msp"}
    assert "a/m sees 2 of 3 OOD sets with more confidence" in paradox
    assert (
        f"lowest with z, {text(values(tables['detection'], 'auroc', training='baseline', ood='z', **msp))}%"
        in paradox
    )
    for kind in ("near", "far"):
        assert text(change(tables["detection"], "auroc", kind=kind, **msp)) in detection
        assert text(change(tables["detection"], "fpr95", kind=kind, **msp)) in detection
    for name in ("id", "pooled"):
        for post_hoc in ("none", "temperature"):
            assert (
                text(change(tables["calibration"], "ece", set=name, post_hoc=post_hoc))
                in calibration
            )
    assert "the accuracy of a/m changes unclearly from 90.0 to 90.0% (+0.0 ± 0.0 points)" in price
    assert f"(+{text(change(tables['likelihood'], 'bpd_mean'), 2, 1)})" in price
    assert "1,600 outlier images" in price
    assert (
        f"the best of 2 scores without it, knn, {text(values(tables['detection'], 'auroc', training='baseline', score='knn'))}%"
        in limits
    )
    assert "the likelihood of b/d has an AUROC below 50% on 3 of 3 OOD sets" in limits
    assert (
        setting(tables)
        == "a/m, oe against baseline (n = 3 trainings); b/d, oe against baseline (n = 3 trainings)"
    )


def test_the_verdict_can_come_out_either_way(tables):
    line, numbers = verdict(tables)
    assert line == "Partly: better where OOD images arrive, worse where none do."
    assert numbers.startswith("ECE on the pool, 20% OOD: 20.")
    assert "below 0 in 3 of 3 trainings" in numbers
    assert "above 0 in 0 of 3 trainings" in numbers
    swapped = tables["calibration"].replace({"training": {"oe": "baseline", "baseline": "oe"}})
    assert (
        verdict({**tables, "calibration": swapped})[0]
        == "Partly: worse where OOD images arrive, better where none do."
    )
    rows = tables["calibration"].assign(ece=lambda t: t["ece"].where(t["set"] != "id", t["seed"]))
    assert (
        verdict({**tables, "calibration": rows})[0]
        == "Partly: better where OOD images arrive, undecided where none do."
    )
    rows = tables["calibration"].assign(ece=lambda t: t["training"].eq("oe") * (1 + t["seed"] / 10))
    assert (
        verdict({**tables, "calibration": rows})[0]
        == "No: worse where OOD images arrive, worse where none do."
    )
    rows = tables["calibration"].assign(ece=lambda t: t["training"].ne("oe") * (1 + t["seed"] / 10))
    assert (
        verdict({**tables, "calibration": rows})[0]
        == "It helps: better where OOD images arrive, better where none do."
    )
    rows = tables["calibration"].assign(ece=lambda t: t["seed"])
    assert (
        verdict({**tables, "calibration": rows})[0]
        == "Undecided: undecided where OOD images arrive, undecided where none do."
    )


def test_one_seed_is_judged_over_images(tables):
    one = {
        name: table[table["seed"] == 0] if "seed" in table else table
        for name, table in tables.items()
    }
    assert verdict(one)[0] == "Partly: better where OOD images arrive, undecided where none do."
    assert not any("±" in sentence for sentence in sentences(one))
    assert "n = 1 training: no interval" in setting(one)


@pytest.mark.parametrize("lacks", ["classifier", "density", "oe", "intervals", "msp"])
def test_any_study_has_an_answer(tables, lacks):
    drop = {
        "classifier": lambda t: t[t["in_dist"] != "a"] if "in_dist" in t else t,
        "density": lambda t: t[t["in_dist"] != "b"] if "in_dist" in t else t,
        "oe": lambda t: t[t["training"] != "oe"] if "training" in t else t,
        "intervals": lambda t: t.iloc[:0] if "metric" in t else t,
        "msp": lambda t: (
            t[~t["score"].isin(["msp", "log_likelihood"])] if "score" in t and "auroc" in t else t
        ),
    }[lacks]
    found = {name: drop(table) for name, table in tables.items()}
    said = [*sentences(found), *verdict(found)]
    assert len(said) == 7
    assert all(said)
    assert "nan" not in " ".join(said)
    assert (verdict(found)[0] == "This study cannot say.") == (lacks in ("classifier", "oe"))


def test_pairs(tables):
    more = pd.DataFrame(
        [
            {**CLASSIFIER, "training": "later", "seed": 0, "objective": "oe", "outliers": "x"},
            {
                "in_dist": "c",
                "model": "e",
                "training": "background",
                "seed": 0,
                "objective": "background",
                "outliers": None,
            },
            {
                "in_dist": "c",
                "model": "e",
                "training": "plain",
                "seed": 0,
                "objective": "baseline",
                "outliers": None,
            },
        ]
    )
    found = pairs({"trainings": pd.concat([tables["trainings"], more])})
    assert [tuple(pair) for pair in found] == [
        ("a", "m", "baseline", "oe"),
        ("b", "d", "baseline", "oe"),
        ("c", "e", "plain", ""),
    ]


class Reader(html.parser.HTMLParser):
    """Text of each table by the heading before it, of the answer, of all; links and images."""

    def __init__(self, content):
        super().__init__()
        self.tables, self.rows, self.answer, self.text, self.ids, self.links, self.images = (
            {},
            [],
            [],
            "",
            set(),
            [],
            [],
        )
        self.id, self.open = "", []
        self.feed(content)

    def handle_starttag(self, tag, attributes):
        own = dict(attributes)
        if tag not in ("meta", "link", "br", "img"):
            self.open.append((tag, own.get("class", "")))
        self.ids |= {own["id"]} if "id" in own else set()
        self.links += [own["href"]] if tag == "a" else []
        self.images += [own] if tag == "img" else []
        self.id = own.get("id", self.id) if tag in ("h2", "h3") else self.id
        if tag == "table":
            self.rows = self.tables.setdefault(self.id, [])
        elif tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")
        elif tag == "li" and ("ol", "answer") in self.open:
            self.answer.append("")

    def handle_endtag(self, tag):
        assert self.open.pop()[0] == tag

    def handle_data(self, data):
        inside = [tag for tag, _ in self.open]
        if "style" in inside:
            return
        self.text += data
        if "td" in inside or "th" in inside:
            self.rows[-1][-1] += data
        elif "li" in inside and ("ol", "answer") in self.open:
            self.answer[-1] += data


def rendered(tables, tmp_path):
    for name, table in tables.items():
        table.to_csv(tmp_path / f"{name}.csv", index=False)
    paths = {name: str(tmp_path / f"{name}.csv") for name in tables}
    picture = tmp_path / "reliability.png"
    picture.write_bytes(b"\x89PNG")
    order = [("reliability", [("", ("a", "m"))])]
    (tmp_path / "logs/train").mkdir(parents=True)
    (tmp_path / "logs/train/x.log").write_text(
        "2026-01-01 10:00:00 INFO on CPU, 1 thread(s)\n2026-01-01 10:01:30 INFO done\n"
    )
    study = ReportedStudy("small", order, ["x.yaml"], {"a": "cifar10"})
    content = render_page(study, paths, {"reliability": str(picture)}, str(tmp_path / "logs"))
    return Reader(content), read(paths)


def test_numbers_of_the_page_are_those_of_the_tables(tables, tmp_path):
    ece = {
        "table": "calibration",
        "where": {**CLASSIFIER, "training": "oe", "set": "id", "post_hoc": "none"},
        "value": "ece",
    }
    claims = {
        "it_rises": filled(
            "x",
            {
                "statement": "It rises.",
                "minus": {"training": "baseline"},
                "is": "above",
                **ece,
                "figure": "reliability",
            },
        ),
        "it_is_low": filled(
            "y", {"statement": "It is low & < 1%.", "is": "below", "than": 0.01, **ece}
        ),
    }
    tables["calibration"].to_csv(tmp_path / "c.csv", index=False)
    tables["claims"] = judged(
        claims, {"calibration": str(tmp_path / "c.csv")}, {"reliability": [["", ["a", "m"]]]}
    )
    reader, frames = rendered(tables, tmp_path)

    rows = {row[0].split(".")[0]: row for row in reader.tables["claims"][1:]}
    rise = change(frames["calibration"], "ece", set="id", post_hoc="none")
    assert rows["It rises"][3].startswith(f"{100 * rise.mean():.1f} %")
    assert (
        [rows[name][1] for name in ("It rises", "It is low & < 1%")]
        == list(tables["claims"]["verdict"])
        == ["supported", "refuted"]
    )
    assert (
        "snakemake --cores 1 --configfile x.yaml results/small/figures/reliability.pdf"
        in rows["It rises"][0]
    )

    header, *body = reader.tables["table-calibration_ece"]
    for row in body:
        cells = dict(zip(header, row, strict=True))
        for name in ("id", "pooled"):
            own = values(
                frames["calibration"],
                "ece",
                training=cells["training"],
                post_hoc=cells["post_hoc"],
                set=name,
            )
            assert cells[name] == text(own)
        assert cells["n"] == "3"
    header, *body = reader.tables["table-detection_fpr95"]
    assert len(body) == 6
    for row in body:
        cells = dict(zip(header, row, strict=True))
        where = {key: cells[key] for key in ("in_dist", "training", "score")}
        assert cells["far"] == text(values(frames["detection"], "fpr95", kind="far", **where))

    assert reader.answer == sentences(frames)
    assert all(part in reader.text for part in verdict(frames))
    assert (
        text(change(frames["calibration"], "ece", set="pooled", post_hoc="none"))
        in reader.answer[2]
    )


def test_the_page_is_whole(tables, tmp_path):
    reader, frames = rendered(tables, tmp_path)
    assert not reader.open
    assert {link[1:] for link in reader.links} <= reader.ids
    assert all(link.startswith("#") for link in reader.links)
    assert [image["alt"].split(".")[0] for image in reader.images] == ["reliability: a, m"]
    assert "train: 1 job, 1.5 min" in reader.text
    assert "CPU, 1 thread(s) (1 job)" in reader.text
    assert re.search(r"SHA-256 of library and workflow: [0-9a-f]{64}", reader.text)
    published = {row[1]: row for row in reader.tables["published"][1:]}
    assert published["AUROC, msp, mean over OOD sets"][3] == "89.27 → 97.81"
    own = text(
        frames["detection"]
        .query("score == 'msp' and training == 'baseline'")
        .groupby("seed")["auroc"]
        .mean()
    )
    assert (
        published["AUROC, msp, mean over OOD sets"][4] == f"{own} → –"
    )  # this study has no oe_tune


def test_without_published_numbers_the_page_says_so(tables, tmp_path):
    reader, _ = rendered(
        {**tables, "trainings": tables["trainings"].replace({"a": "other"})}, tmp_path
    )
    assert (
        "there are no published numbers for the in-distribution sets of this study" in reader.text
    )
