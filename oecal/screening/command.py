"""python -m oecal.screen: screens a folder of images, or a stream of file names.

Says of each image: accept, reject (its uncertainty is above the threshold of a promise) or alarm
(hardly an image of the in-distribution set is as unusual). Exit status: 0 without an alarm, 1 with
one, 2 if something is wrong.
"""

from __future__ import annotations

import argparse
import heapq
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from typing import Any

import numpy as np
from tqdm import tqdm

from oecal.core.errors import OecalError
from oecal.core.files import replacing
from oecal.core.log import describe_refusal
from oecal.data.decode import BadImage
from oecal.screening import sheet
from oecal.screening.decision_rows import DecisionRow, RowWriter, make_printable
from oecal.screening.incoming import Loaded, iterate_batches, list_files, read_names
from oecal.screening.judge import Judge, count_threads, load_judge


def decide(s: float, p_value: float, threshold: float | None, alarm: float) -> str:
    """Decide on an image: alarm if p_value <= alarm, accept if s <= threshold, else reject.

    Without a threshold nothing is accepted.
    """
    if p_value <= alarm:
        return "alarm"
    return "accept" if threshold is not None and s <= threshold else "reject"


def judge_batch(batch: Sequence[Loaded], judge: Judge, alarm: float) -> list[DecisionRow]:
    """Judge the images of a batch: a row per file, in their order."""
    good = [loaded.image for loaded in batch if not isinstance(loaded.image, BadImage)]
    judged = zip(*judge(np.stack(good)), strict=True) if good else iter(())
    rows = []
    for path, image in batch:
        if isinstance(image, BadImage):
            rows.append(DecisionRow(path, None, None, None, None, "unreadable", str(image)))
        else:
            name, confidence, s, p = next(judged)
            verdict = decide(s, p, judge.threshold, alarm)
            rows.append(
                DecisionRow(
                    path,
                    name or None,
                    float(confidence) if name else None,
                    float(s),
                    float(p),
                    verdict,
                    None,
                )
            )
    return rows


def check_alarm_level(judge: Judge, alarm: float) -> None:
    """Raise OecalError if no image could ever be an alarm, or each one would be."""
    least = 1 / (len(judge.reference) + 1)
    if not least <= alarm < 1:
        rare = f"with {len(judge.reference)} validation images no p-value is below {least:.3g}"
        why = "every image would be an alarm" if alarm >= 1 else rare
        raise OecalError(
            f"--alarm: found {alarm:g}; {why}; "
            f"use a number from {np.ceil(least * 1e4) / 1e4:g} to below 1"
        )


def screen_images(
    groups: Iterable[Sequence[str]],
    judge: Judge,
    alarm: float,
    write: Callable[[list[DecisionRow]], None],
    sheet_path: str | None = None,
    threads: int = 1,
    total: int | None = None,
) -> dict[str, Any]:
    """Screen all files, and return a summary: what was used, counts, seconds.

    `write` gets the rows batch by batch. groups: file names, as many as are there at a time; total:
    how many in all, if that is known. Raises OecalError if `alarm` is below the least p-value there
    is.
    """
    check_alarm_level(judge, alarm)
    start, counts, reasons, top = (
        time.perf_counter(),
        Counter[str](),
        Counter[str](),
        list[sheet.SheetEntry](),
    )
    with tqdm(total=total, desc="screen", unit=" images", leave=False, disable=None) as bar:
        for batch in iterate_batches(groups, judge.form, threads):
            rows = judge_batch(batch, judge, alarm)
            write(rows)
            counts.update(row.decision for row in rows)
            reasons.update(row.reason.split(":")[0] for row in rows if row.reason)
            alarms = (r for r in rows if r.decision == "alarm")
            entries = (
                sheet.SheetEntry(r.uncertainty or 0.0, r.path, r.p_value or 0.0, r.prediction or "")
                for r in alarms
            )
            top = heapq.nlargest(sheet.MOST, [*top, *entries])
            bar.update(len(rows))
    seconds = time.perf_counter() - start
    if sheet_path:
        sheet.draw_sheet(sheet_path, top, counts["alarm"])
    return {
        "score": judge.score,
        "promise": judge.promise,
        "threshold": judge.threshold,
        "alarm_level": alarm,
        "images": counts.total(),
        **{name: counts[name] for name in ("accept", "reject", "alarm", "unreadable")},
        "unreadable_reasons": dict(reasons.most_common()),
        "seconds": seconds,
        "network_share": judge.seconds / max(seconds, 1e-9),
    }


def format_summary(summary: dict[str, Any]) -> str:
    """Format the summary in two lines."""
    counts = ", ".join(
        f"{summary[name]:,} {name}" for name in ("accept", "reject", "alarm", "unreadable")
    )
    why = "; ".join(f"{reason}: {n}" for reason, n in summary["unreadable_reasons"].items())
    threshold = (
        "none, all are rejected" if summary["threshold"] is None else f"{summary['threshold']:.4g}"
    )
    return (
        f"{summary['images']:,} images: {counts}{f' ({why})' if why else ''}; "
        f"{summary['seconds']:.1f} s, "
        f"{summary['network_share']:.0%} of them in the network\n"
        f"score {summary['score']}, promise {summary['promise']} (threshold {threshold}), "
        f"alarm if p <= {summary['alarm_level']:g}"
    )


def make_parser() -> argparse.ArgumentParser:
    """Make the parser of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m oecal.screen",
        description="Which images can a trained run be trusted on? One row for each image.",
        epilog="Exit status: 0 without an alarm, 1 with at least one, "
        "2 for wrong usage or another error.",
    )
    parser.add_argument(
        "images",
        nargs="+",
        metavar="IMAGES",
        help="folders (with their subfolders), files, or - to read names from standard input",
    )
    parser.add_argument(
        "--model",
        required=True,
        help="the trained run: results/<study>/models/<in_dist>/<model>/<training>/seed<n>",
    )
    parser.add_argument(
        "--score",
        metavar="NAME",
        help="an uncertainty score of one forward pass; default: the run's first one",
    )
    parser.add_argument(
        "--promise",
        metavar="NAME",
        help="the promise whose threshold rejects images; default: the run's first one",
    )
    parser.add_argument(
        "--alarm",
        type=float,
        default=0.01,
        metavar="P",
        help="alarm at a p-value of at most P; default: 0.01",
    )
    parser.add_argument(
        "--format", choices=("csv", "jsonl"), default="csv", help="format of the rows; default: csv"
    )
    parser.add_argument(
        "--output", metavar="FILE", help="file for the rows; default: standard output"
    )
    parser.add_argument(
        "--sheet",
        metavar="PNG",
        help="file for a contact sheet of the alarms, the most anomalous first",
    )
    parser.add_argument(
        "--summary", metavar="JSON", help="file for the summary, which is also shown"
    )
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:1; default: auto")
    parser.add_argument(
        "--threads", type=int, default=0, help="CPU threads; default: one for each core"
    )
    return parser


def run_command(arguments: argparse.Namespace) -> int:
    """Run the whole command, and return its exit status. Raises OecalError."""
    stream = "-" in arguments.images
    if stream and len(arguments.images) > 1:
        raise OecalError(
            "-: reads names from standard input; use it alone, or list files and folders instead"
        )
    files = [] if stream else list_files(arguments.images)
    threads = max(arguments.threads, 0) or count_threads()
    # A core is left to those who read files: a layer waits for its slowest thread, and on a crowded
    # machine that takes ten times as long.
    judging = load_judge(
        arguments.model, arguments.score, arguments.promise, arguments.device, max(threads - 1, 1)
    )
    check_alarm_level(judging, arguments.alarm)  # before a file is written
    with ExitStack() as stack:
        to = (
            stack.enter_context(open(arguments.output, "w", encoding="utf-8", newline=""))
            if arguments.output
            else sys.stdout
        )
        writer = RowWriter(to, arguments.format)
        groups: Iterable[Sequence[str]] = read_names(sys.stdin.buffer) if stream else [files]
        summary = screen_images(
            groups,
            judging,
            arguments.alarm,
            writer,
            arguments.sheet,
            threads,
            None if stream else len(files),
        )
    if arguments.summary:
        with replacing(arguments.summary) as temporary:
            temporary.write_text(json.dumps(summary, indent=1) + "\n")
    print(format_summary(summary), file=sys.stderr)
    return int(summary["alarm"] > 0)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line, and return its exit status; errors are one line on standard error."""
    try:
        return run_command(make_parser().parse_args(arguments))
    except OecalError as error:
        print(make_printable(f"oecal.screen: {error}"), file=sys.stderr)
    except BrokenPipeError:  # who reads along has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:
        print("oecal.screen: interrupted", file=sys.stderr)
    except OSError as error:
        reason = f"{error.filename}: {error.strerror}; use another path"
        print(
            make_printable(f"oecal.screen: {describe_refusal(error) or reason}"),
            file=sys.stderr,
        )
    return 2


if __name__ == "__main__":
    sys.exit(main())
