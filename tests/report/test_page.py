"""The page as a reader gets it: its numbers are those of the tables."""

import html.parser
import re

from oecal.report.answer import write_answer
from oecal.report.page import ReportedStudy, render_page
from oecal.report.summary_tables import read_tables
from oecal.report.verdict import write_verdict
from oecal.study.claim_entries import parse_claim
from oecal.tables.claims import judge_claims
from tests.report.oe_study import CLASSIFIER, change, text, values


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
    return Reader(content), read_tables(paths)


def test_numbers_of_the_page_are_those_of_the_tables(tables, tmp_path):
    ece = {
        "table": "calibration",
        "where": {**CLASSIFIER, "training": "oe", "set": "id", "post_hoc": "none"},
        "value": "ece",
    }
    claims = {
        "it_rises": parse_claim(
            "x",
            {
                "statement": "It rises.",
                "minus": {"training": "baseline"},
                "is": "above",
                **ece,
                "figure": "reliability",
            },
        ),
        "it_is_low": parse_claim(
            "y", {"statement": "It is low & < 1%.", "is": "below", "than": 0.01, **ece}
        ),
    }
    tables["calibration"].to_csv(tmp_path / "c.csv", index=False)
    tables["claims"] = judge_claims(
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

    assert reader.answer == write_answer(frames)
    assert all(part in reader.text for part in write_verdict(frames))
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
