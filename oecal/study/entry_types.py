"""What all types of the configuration share: strict fields, and the kinds of values that recur."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Annotated, Any, Literal, NamedTuple, TypeVar

from annotated_types import Ge, Gt, Lt, MinLen
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    StringConstraints,
    WithJsonSchema,
    WrapValidator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError

T = TypeVar("T")


class ConfigEntry(BaseModel):
    """A mapping of the configuration. Unknown keys are errors, and 5.0 is no integer."""

    model_config = ConfigDict(
        strict=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True
    )


def keep_as_written(value: Any, validate: Callable[[Any], float]) -> Any:
    """Check a number, but leave 1 an integer: results name their settings as they were written."""
    validate(value)
    return value


def check_unique(values: list[T]) -> list[T]:
    """Refuse a list that has an entry twice."""
    for n, value in enumerate(values):
        if value in values[:n]:
            raise PydanticCustomError(
                "twice", "lists {value} twice; list it once", {"value": repr(value)}
            )
    return values


def check_class(value: object) -> object:
    """Accept a class's number (0 or more) or name."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise PydanticCustomError("class", "expected the number or name of a class")
    if isinstance(value, int) and value < 0:
        raise PydanticCustomError("class", "expected the number of a class, 0 or more")
    return value


class Says(NamedTuple):
    """What a type means, where a value of it is a list's item, a mapping's key or does not fit."""

    text: str

    def __get_pydantic_json_schema__(
        self, core: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Describe the type in the exported schema, too."""
        return {**handler(core), "description": self.text}


AS_WRITTEN = WrapValidator(keep_as_written)
EACH_ONCE = Field(json_schema_extra={"uniqueItems": True})
Number = Annotated[float, AS_WRITTEN]
Share = Annotated[float, Gt(0), Lt(1), AS_WRITTEN]
Positive = Annotated[int, Ge(1)]
Count = Annotated[int, Ge(0)]
Unique = Annotated[list[T], AfterValidator(check_unique), EACH_ONCE]
AtLeastOne = Annotated[list[T], MinLen(1), AfterValidator(check_unique), EACH_ONCE]
NAME = "[a-z][a-z0-9_]*"
Name = Annotated[
    str,
    StringConstraints(pattern=f"^{NAME}$"),
    Says("lower-case letters, digits and underscores, a letter first"),
]
Class = Annotated[
    Hashable,
    AfterValidator(check_class),
    WithJsonSchema({"anyOf": [{"type": "integer", "minimum": 0}, {"type": "string"}]}),
    Says("number or name of a class"),
]
Interpolation = Literal["nearest", "box", "bilinear", "bicubic", "lanczos"]
Fit = Literal["stretch", "crop", "pad"]
