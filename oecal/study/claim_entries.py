"""Claims: sentences that a study makes, each tied to a number of a table and to a criterion.

The file is a mapping from a claim's name to

    statement: Outlier Exposure lowers the FPR95 of MSP on far-OOD sets.
    table: detection          # a table of the study, tables/<table>.csv
    # Its rows: column: value, or a list of values.
    where: {in_dist: fashion, model: wrn, training: oe_tune, score: msp, kind: far}
    # Optional: less the same with other values in these columns, of the same seed.
    minus: {training: baseline}
    value: fpr95              # a column, or a difference of two: mean_confidence - accuracy
    is: below                 # below, above, or within a margin
    than: 0                   # 0 if left out
    margin: 0.01              # of within: less than so far from `than`
    figure: oe_gain           # optional: the figure that shows it

A seed's number is the mean over the rows that match, so all OOD sets count alike.
`oecal.study.check_claims` holds the claims against their study; `oecal.tables.claims` computes and
judges them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal

import yaml
from annotated_types import Gt
from pydantic import BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError
from pydantic_core import PydanticCustomError

from oecal.core.codegraph import ROOT
from oecal.core.errors import OecalError, summarize_error
from oecal.data.table import LOADER
from oecal.study.entry_types import AS_WRITTEN, ConfigEntry, Number
from oecal.study.messages import explain

Value = str | int | float
CLAIM_RUN = ("in_dist", "model", "training")  # the columns that every claim names in `where`
# Of all others: a fraction. Of `intervals` it is the metric that counts.
UNITS = {
    "nll": "nats",
    "brier": "squared error",
    "bpd": "bits/dim",
    "bpd_mean": "bits/dim",
    "bpd_sd": "bits/dim",
    "temperature": "temperature",
    "reliability": "squared error",
    "resolution": "squared error",
    "ce2_debiased": "squared error",
    "correctness_brier": "squared error",
    "threshold": "score",
    "median_time": "images",
    "q25": "images",
    "q75": "images",
    "length": "images",
    "onset": "images",
    **dict.fromkeys(("n", "n_in", "n_out", "n_id", "n_ood"), "images"),
    "levels": "grey levels",
    "streams": "streams",
    "splits": "splits",
    "without": "splits",
}


def check_value(value: object) -> object:
    """Accept a value of a table's cell: text or a number."""
    if not isinstance(value, str | int | float):
        raise PydanticCustomError("value", "expected a name or a number")
    return value


def check_values(value: object) -> list[object]:
    """Accept a value, or a list of some, as a list."""
    values = value if isinstance(value, list) else [value]
    if not values:
        raise PydanticCustomError("value", "expected a value or a list of values")
    return [check_value(one) for one in values]


Text = Annotated[str, StringConstraints(pattern=r"\S")]
Values = Annotated[list[Value], BeforeValidator(check_values)]


class Claim(ConfigEntry):
    """A sentence, the rows of a table that it is about, and what their number must be."""

    model_config = ConfigDict(populate_by_name=True)

    statement: Text
    """a sentence"""
    table: Text
    """a table"""
    where: dict[str, Values]
    """column: value, or a list of values"""
    minus: dict[str, Annotated[Value, BeforeValidator(check_value)]] = {}
    """column: value"""
    value: Text
    """a column, or two with ' - ' between them"""
    criterion: Annotated[Literal["below", "above", "within"], Field(alias="is")]
    """below, above or within"""
    than: Number = 0
    """a number"""
    margin: Annotated[float, Gt(0), AS_WRITTEN] | None = None
    """a number above 0, of within only"""
    figure: str = ""
    """a figure"""

    @property
    def sides(self) -> list[dict[str, list[Value]]]:
        """The conditions on the rows of the number, and, if one is subtracted, on that one's."""
        less = {column: [value] for column, value in self.minus.items()}
        return [self.where, *([{**self.where, **less}] if less else [])]

    @property
    def terms(self) -> list[str]:
        """The column of the value, or the two of a difference."""
        return self.value.split(" - ")

    def run(self, side: Mapping[str, list[Value]] | None = None) -> list[str]:
        """in_dist, model and training of `where`, or of another one of its sides."""
        return [str((side or self.where)[column][0]) for column in CLAIM_RUN]


def find_claims_file(path: str) -> Path:
    """Return the file at a path below the working directory or else below the repository.

    Raises OecalError if it lies outside both, or if there is none.
    """
    folders = [Path.cwd(), ROOT.resolve()]
    places = [place for base in folders if (place := (base / path).resolve()).is_relative_to(base)]
    if not places:
        raise OecalError(
            f"claims: {path} lies outside {' and '.join(map(str, dict.fromkeys(folders)))}; "
            "use a path below one of them, such as studies/claims/demo.yaml"
        )
    if existing := [place for place in places if place.exists()]:
        return existing[0]
    raise OecalError(
        f"claims: {path} does not exist below {' or '.join(map(str, dict.fromkeys(folders)))}; set "
        "claims to the path of a YAML file, or to '' for none"
    )


def read_claims(path: str) -> dict[str, Claim]:
    """The claims of a file; `find_claims_file` says where it may be.

    Raises OecalError for the first that has a wrong form.
    """
    try:
        content = yaml.load(find_claims_file(path).read_text(encoding="utf-8"), LOADER)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        why = error.strerror if isinstance(error, OSError) else summarize_error(error, 500)
        raise OecalError(
            f"claims: {path} cannot be read: {why}; set claims to the path of a YAML file, "
            "or to '' for none"
        ) from None
    if not isinstance(content, dict) or not content:
        raise OecalError(
            f"claims: {path} must be a YAML mapping from names to claims, as in "
            "studies/claims/demo.yaml"
        )
    return {str(name): parse_claim(f"claims.{name}", entry) for name, entry in content.items()}


def parse_claim(place: str, entry: object) -> Claim:
    """One claim. Raises OecalError if it has not the form above. place: its key, for messages."""
    try:
        claim = Claim.model_validate(entry)
    except ValidationError as error:
        raise OecalError(explain(error, Claim, place.split(".", 1))) from None
    if claim.criterion == "within" and claim.margin is None:
        raise OecalError(f"{place}: the key 'margin' is missing, which `is: within` needs")
    if claim.criterion != "within" and claim.margin is not None:
        raise OecalError(f"{place}.margin: applies to `is: within` only; remove it")
    for column in CLAIM_RUN:
        values = claim.where.get(column, [])
        if len(values) != 1 or not isinstance(values[0], str):
            raise OecalError(f"{place}.where.{column}: found {values}; expected one name")
    for column in claim.minus:
        if column not in claim.where:
            raise OecalError(
                f"{place}.minus.{column}: where has no {column} to compare with; add it there"
            )
    return claim


def find_figure(claim: Claim, variants: Mapping[str, Sequence[tuple[str, Sequence[str]]]]) -> str:
    """The name of the file that shows a claim: its figure, of its run, or at least of its model.

    '' if there is none. variants: figure -> [[suffix, [in_dist, model, (training)]], ...]
    """
    subjects = [(suffix, list(subject)) for suffix, subject in variants.get(claim.figure, ())]
    for side in claim.sides:
        run = claim.run(side)
        for suffix, subject in subjects:
            if subject == run[: len(subject)]:
                return f"{claim.figure}{suffix}"
    model = claim.run()[:2]
    return next((claim.figure + suffix for suffix, subject in subjects if subject[:2] == model), "")
