"""Read JSON numbers into Decimals without losing digits.

pydantic first reads a number with a point or an exponent as a binary float. So the digits of such
numbers are recorded beforehand, by the float that each becomes. Where a Decimal is made from a
float, the recorded digits are used. Functions without decimals, and arguments without such
numbers, are read as usual.
"""

from __future__ import annotations

import json
import threading
from decimal import Decimal
from typing import Any, cast

from pydantic import BaseModel
from pydantic_core import PydanticCustomError, SchemaValidator, core_schema

from runtime.registry.core_schema import parts_of, with_parts
from runtime.registry.core_schemas import make_validator
from runtime.registry.json_validation import readable

_noted = threading.local()
_AS_NOTED, _AS_EVER = "\0as noted", "\0as ever"  # tags that no member of an object has


class DecimalReader:
    """Validates the arguments of a function that takes decimals.

    Args:
        usual: The validator for arguments without numbers that have a point or an exponent.
        exact: The validator for others, made from a core schema changed by `with_digits`.
    """

    def __init__(self, usual: SchemaValidator, exact: SchemaValidator) -> None:
        self._usual = usual
        self._exact = exact

    def validate_json(self, arguments: bytes, *, strict: bool) -> Any:  # noqa: ANN401
        """Read arguments as `SchemaValidator.validate_json` does, with all digits of decimals."""
        digits = _digits_of(arguments)
        if not digits:
            return self._usual.validate_json(arguments, strict=strict)
        _noted.digits = digits
        try:
            return self._exact.validate_json(arguments, strict=strict)
        finally:
            del _noted.digits


def reader_of(model: type[BaseModel]) -> SchemaValidator | DecimalReader:
    """Return the validator for the arguments that a model describes."""
    usual = cast("SchemaValidator", model.__pydantic_validator__)
    schema = model.__pydantic_core_schema__
    if not _has_decimals(schema):
        return usual
    return DecimalReader(usual, make_validator(with_digits(readable(schema))))


def with_digits(schema: Any) -> Any:  # noqa: ANN401
    """Return a copy of a core schema that makes decimals from the recorded digits."""
    made = with_parts(schema, with_digits)
    if not isinstance(schema, dict) or schema.get("type") != "decimal":
        return made
    reference = {"ref": made.pop("ref")} if "ref" in made else {}
    return {
        **core_schema.tagged_union_schema(
            {
                _AS_NOTED: core_schema.no_info_before_validator_function(_from_digits, made),
                _AS_EVER: made,
            },
            discriminator=_is_noted,
        ),
        **reference,
    }


def _has_decimals(schema: Any) -> bool:  # noqa: ANN401
    is_decimal = isinstance(schema, dict) and schema.get("type") == "decimal"
    return is_decimal or any(map(_has_decimals, parts_of(schema)))


def _digits_of(arguments: bytes) -> dict[float, str]:
    """Return the digits of each number with a point or an exponent, by its float.

    If two numbers with different digits become the same float, its digits are "".
    """
    digits: dict[float, str] = {}

    def note(text: str) -> float:
        value = float(text)
        before = digits.setdefault(value, text)
        if before != text and (not before or Decimal(before) != Decimal(text)):
            digits[value] = ""
        elif len(text) > len(before):
            digits[value] = text
        return value

    if b"." in arguments or b"e" in arguments or b"E" in arguments:
        try:
            json.loads(arguments, parse_float=note)
        except (ValueError, RecursionError):
            return {}  # pydantic reports the error
    return digits


def _is_noted(value: object) -> str:
    return _AS_NOTED if type(value) is float and value in _noted.digits else _AS_EVER


def _from_digits(value: float) -> Decimal:
    digits = _noted.digits[value]
    if not digits:
        raise PydanticCustomError(
            "decimal_ambiguous",
            "Two numbers here differ only in digits that floating point cannot represent; write "
            "them as strings",
        )
    return Decimal(digits)
