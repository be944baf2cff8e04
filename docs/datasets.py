"""Write docs/datasets.md: every set of oecal/data/published.yaml, and the studies that use it.

`make docs` runs it.
"""

from pathlib import Path

import yaml

from oecal.data.table import load_published_sets
from oecal.study.loading import merge

ROOT = Path(__file__).parent.parent
SPLITS = ("train", "val", "test")


def studies() -> dict[str, list[str]]:
    """Published set -> the studies that name it as a source."""
    used: dict[str, list[str]] = {}
    for path in sorted((ROOT / "studies").glob("*.yaml")):
        config = yaml.safe_load(path.read_text())
        small = ROOT / "studies/small" / path.name
        if small.exists():
            config = merge(config, yaml.safe_load(small.read_text()))
        for source in dict.fromkeys(entry["source"] for entry in config["datasets"].values()):
            used.setdefault(source, []).append(path.stem)
    return used


def size(number: int) -> str:
    return f"{number:,} bytes" if number < 1_000_000 else f"{number / 1e6:,.1f} MB"


def entry(name: str, used: list[str]) -> str:
    """One set as Markdown."""
    row = load_published_sets()[name]
    counts = ", ".join(
        f"{row['images'][s]:,} {s}" if row["images"][s] else s for s in SPLITS if s in row["images"]
    )
    shape = " x ".join(map(str, row["shape"])) if "shape" in row else "many sizes: needs `format`"
    lines = [
        f"## `{name}`: {row['title']}",
        "",
        f"{row['citation']}. <{row['page']}>",
        "",
        f"- Images: {counts}; {shape}"
        + (f"; {len(row['classes'])} classes" if "classes" in row else ""),
        f"- Licence: {row['licence']}",
        f"- Used in: {', '.join(used) or 'no study yet'}",
        f"- Where: `{row['folder']}` below the data root",
    ]
    if "get" in row:
        lines.append(f"- To be fetched by hand: {row['get']}")
    if "note" in row:
        lines.append(f"- Note: {row['note']}")
    lines += ["", "| file | size | checksum |", "|---|---|---|"]
    for file, about in row["files"].items():
        pinned = next(
            (f"{kind} `{about[kind]}`" for kind in ("sha256", "md5") if kind in about), "none known"
        )
        lines.append(
            f"| {file} | {size(about['size']) if 'size' in about else 'not known'} | {pinned} |"
        )
    return "\n".join(lines)


def page() -> str:
    used = studies()
    head = """# Published data sets

Made by `make docs` from `oecal/data/published.yaml`, which also has the mirrors. How data sets are
used: [data.md](data.md). Studies are named if they or their small variants use the set. Checksums
are SHA-256 where it is known, else the MD5 that torchvision pins."""
    return (
        "\n\n".join([head, *(entry(name, used.get(name, [])) for name in load_published_sets())])
        + "\n"
    )


if __name__ == "__main__":
    Path(__file__).with_suffix(".md").write_text(page())
