import subprocess
import sys

import pandas as pd
import pytest

from oecal.core import provenance
from oecal.core.codegraph import ROOT
from oecal.report import published_numbers


def test_versions_and_hardware_are_named():
    assert {"Python", "torch", "numpy", "h5py"} <= provenance.list_versions().keys()
    assert provenance.describe_hardware()["CPU"]
    assert int(provenance.describe_hardware()["cores"]) > 0


def test_the_fingerprint_is_of_all_code(monkeypatch):
    listed = []
    monkeypatch.setattr(
        provenance, "compute_fingerprint", lambda files: listed.extend(files) or "f"
    )
    assert provenance.fingerprint_code() == "f"
    assert {
        "oecal/report/answer.py",
        "oecal/tables/detection.py",
        "workflow/rules/train.smk",
        "workflow/scripts/train.py",
        "Snakefile",
    } <= set(listed)


def test_times_of_a_log():
    assert provenance.count_seconds([]) == 0
    lines = ["2026-02-28 23:59:50 INFO a", "  a traceback", "2026-03-01 00:00:20 INFO b"]
    assert provenance.count_seconds(lines) == 30
    lines.append("2026-03-03 06:00:20 INFO after more than two days")
    assert provenance.count_seconds(lines) == 30 + 54 * 3600


def test_times_of_a_log_that_a_job_wrote(tmp_path):
    code = "import sys; from oecal.core import log; log.start(sys.argv[1]); import logging, time; "
    code += "logging.info('a'); time.sleep(1.1); logging.info('b')"
    path = tmp_path / "train/x.log"
    subprocess.run([sys.executable, "-c", code, path], cwd=ROOT, check=True, capture_output=True)
    assert provenance.list_jobs(tmp_path)[0]["jobs"] == 1
    assert 1 <= provenance.count_seconds(path.read_text().splitlines()) <= 30


def test_jobs_and_devices(tmp_path):
    for name, spent in {
        "train/a/seed0": "00:01:00",
        "train/a/seed1": "00:00:30",
        "score/a/seed0": "00:00:06",
    }.items():
        path = tmp_path / f"{name}.log"
        path.parent.mkdir(parents=True, exist_ok=True)
        day = "2026-01-01"
        path.write_text(f"{day} 00:00:00 INFO on cuda, float32\n{day} {spent} INFO done\n")
    own = "2026-01-01 00:00:00 INFO x\n2026-01-01 09:00:00 INFO y\n"
    (tmp_path / "report.log").write_text(own)
    assert provenance.list_jobs(tmp_path) == [
        {"step": "score", "jobs": 1, "minutes": "0.1"},
        {"step": "train", "jobs": 2, "minutes": "1.5"},
    ]
    assert provenance.count_devices(tmp_path) == {"cuda, float32": 2}
    assert provenance.list_jobs(tmp_path / "none") == []


def test_each_published_number_has_a_counterpart_and_a_source():
    known = {
        "detection": "oecal/tables/detection.py",
        "calibration": "oecal/tables/calibration.py",
        "likelihood": "oecal/tables/likelihood.py",
    }
    table = published_numbers.read_published_numbers()
    assert len(table) > 90
    for row in table.to_dict("records"):
        assert f'"{row["column"]}"' in (ROOT / known[row["table"]]).read_text()
        assert row["reference"]
        assert row["baseline"] != "" or row["oe_tune"] != ""


@pytest.mark.parametrize("column, low, high", [("baseline", 0.0007, 4), ("oe_tune", 0.0007, 4)])
def test_published_numbers_are_fractions_but_for_temperature_and_bits(column, low, high):
    table = pd.read_csv(published_numbers.OF_OE)
    assert table[column].between(low, high).all()
    assert (table[column][~table["column"].isin(published_numbers.UNSCALED)] < 1).all()


def test_our_counterpart_is_of_the_same_architecture():
    rows = [
        {"in_dist": "a", "model": m, "training": "baseline", "seed": 0, "set": "a", "bpd_mean": b}
        for m, b in (("vae", 5), ("pixelcnn", 3))
    ]
    tables = {"trainings": pd.DataFrame(rows), "likelihood": pd.DataFrame(rows)}
    for name in ("detection", "calibration"):
        tables[name] = pd.DataFrame(
            columns=["in_dist", "model", "training", "score", "post_hoc", "set", "ood"]
        )
    found = published_numbers.compare_with_published(tables, {"a": "cifar10"})
    assert found[["our model", "published", "this study"]].to_numpy().tolist() == [
        ["pixelcnn", "3.060 → 3.080", "3.00 → –"]
    ]
    assert published_numbers.compare_with_published(tables, {}).empty
