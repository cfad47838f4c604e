"""Numbers of a JSON text keep their digits on the way into a Decimal.

pydantic reads a number with a point or an exponent as binary floating point first. So the
digits of such numbers are noted beforehand, by the float that each becomes, and where a
Decimal is to be made of a float, its digits are looked up. A function without decimals, and
arguments without such numbers, are read as ever.
"""

from __future__ import annotations

import json
import threading
from decimal import Decimal
from typing import Any, cast

from pydantic import BaseModel
from pydantic_core import PydanticCustomError, SchemaValidator, core_schema

from runtime.registry.core_schema import parts_of, with_parts
from runtime.registry.json_validation import readable

_noted = threading.local()
_AS_NOTED, _AS_EVER = "\0as noted", "\0as ever"  # no member of an object is called so


class DecimalReader:
    """Reads arguments with decimals in them.

    Args:
        usual: The validator for arguments in which no number has digits to lose.
        exact: The same, made of a core schema that went through `with_digits`.
    """

    def __init__(self, usual: SchemaValidator, exact: SchemaValidator) -> None:
        self._usual = usual
        self._exact = exact

    def validate_json(self, arguments: bytes, *, strict: bool) -> Any:  # noqa: ANN401
        """Read arguments as `SchemaValidator.validate_json` does, decimals to the last digit."""
        digits = _digits_of(arguments)
        if not digits:
            return self._usual.validate_json(arguments, strict=strict)
        _noted.digits = digits
        try:
            return self._exact.validate_json(arguments, strict=strict)
        finally:
            del _noted.digits


def reader_of(model: type[BaseModel]) -> SchemaValidator | DecimalReader:
    """Return what reads the arguments that a model describes."""
    usual = cast("SchemaValidator", model.__pydantic_validator__)
    schema = model.__pydantic_core_schema__
    if not _has_decimals(schema):
        return usual
    return DecimalReader(usual, SchemaValidator(with_digits(readable(schema)), _use_prebuilt=False))


def with_digits(schema: Any) -> Any:  # noqa: ANN401
    """Return a copy of a core schema whose decimals are made of the digits that were noted."""
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
    """Return the digits of each number that is no integer; "" for floats that have several."""
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
            return {}  # pydantic says what is wrong
    return digits


def _is_noted(value: object) -> str:
    return _AS_NOTED if type(value) is float and value in _noted.digits else _AS_EVER


def _from_digits(value: float) -> Decimal:
    digits = _noted.digits[value]
    if not digits:
        raise PydanticCustomError(
            "decimal_ambiguous",
            "Two numbers here differ only in digits that floating point cannot hold: write them "
            "as texts",
        )
    return Decimal(digits)
