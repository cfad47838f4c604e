"""Check arguments against a function's JSON Schema, without loading the function.

The gateway and `.send()` use it before they queue an invocation. The rule: it never refuses
arguments that pydantic accepts in the runner. Where the published schema would, it checks against
a wider one (`runtime.registry.gateway_schema`), and the runner refuses the rest. To agree with
pydantic's strict mode, it checks formats with pydantic's types, accepts only standard base64, and
refuses 1.0 as an integer, which JSON Schema alone would accept.
"""

from __future__ import annotations

import difflib
import threading
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import jsonschema_rs

from runtime.errors import ArgumentFault, ArgumentsError, pointer_to
from runtime.registry.error_search import count_parts, find_pieces, is_large
from runtime.registry.formats import BASE64_FORMAT, FORMATS, LEAST_BYTES, MOST_BYTES
from runtime.registry.manifest import Manifest

_MOST_FAULTS = 50
_MOST_HINTS = 5
_LONGEST_NAME = 128
_MOST_PARTS_IN_PYTHON = 20_000
_MOST_COMPILED = 2_000
_DETAIL_MOST = 500
_WHOLE = "x-penstock-whole-number"
_MASK = "the value"
_BY_NAME = frozenset({"properties", "$defs", "patternProperties", "dependentSchemas"})
_VALUES = frozenset({"enum", "const", "default", "examples"})


class _Keyword:
    """A schema keyword of our own, with the value that the schema gives it."""

    def __init__(self, parent: dict[str, Any], value: int, path: list[str | int]) -> None:
        del parent, path
        self._value = value


class _WholeNumber(_Keyword):
    """Schema keyword that refuses 1.0 as an integer."""

    def validate(self, instance: object) -> None:
        if isinstance(instance, float) and instance.is_integer():
            raise ValueError("the value is not an integer; write it without a decimal point")


class _LeastBytes(_Keyword):
    """Schema keyword for the smallest number of bytes that base64 may stand for."""

    def validate(self, instance: object) -> None:
        if isinstance(instance, str) and _size_of(instance) < self._value:
            raise ValueError(f"the value has fewer than {self._value} bytes")


class _MostBytes(_Keyword):
    """Schema keyword for the largest number of bytes that base64 may stand for."""

    def validate(self, instance: object) -> None:
        if isinstance(instance, str) and _size_of(instance) > self._value:
            raise ValueError(f"the value has more than {self._value} bytes")


def _size_of(text: str) -> int:
    """Return how many bytes a standard base64 text stands for; the format check refuses others."""
    return len(text) // 4 * 3 - text.count("=", -2)


_KEYWORDS: dict[str, Any] = {
    _WHOLE: _WholeNumber,
    LEAST_BYTES: _LeastBytes,
    MOST_BYTES: _MostBytes,
}
_lock = threading.Lock()
_compiled: dict[
    tuple[str, str, bool, bool], tuple[dict[str, Any], jsonschema_rs.Draft202012Validator]
] = {}


def check_arguments(manifest: Manifest, arguments: object) -> None:
    """Return if the arguments fit the function's schema.

    Args:
        manifest: The function's manifest; its schema is compiled once per name and version.
        arguments: A parsed JSON value; anything but an object is refused.

    Raises:
        ArgumentsError: The arguments do not fit. It has a JSON pointer for each fault; for a
            missing argument the pointer says where it should be.
    """
    # Formats and keywords that are checked in Python take most of the time. For a value of very
    # many parts they would block the process's other requests, so the runner checks those alone.
    formats = count_parts(arguments, most=_MOST_PARTS_IN_PYTHON) <= _MOST_PARTS_IN_PYTHON
    exact = formats and _has_whole_float(arguments)
    validator = _validator(manifest, exact=exact, formats=formats)
    if validator.is_valid(arguments):
        return
    compile_part = partial(compile_schema, exact=exact, formats=formats)
    raise ArgumentsError(tuple(_explain(validator, manifest, arguments, compile_part)))


def _explain(
    validator: jsonschema_rs.Draft202012Validator,
    manifest: Manifest,
    arguments: object,
    compile_part: Callable[[dict[str, Any]], jsonschema_rs.Draft202012Validator],
) -> Iterable[ArgumentFault]:
    """Return the faults; for a large value only a few, so that the search does not take long."""
    schema = manifest.validation_schema
    if not is_large(arguments, schema):
        found = [("", error) for error in validator.iter_errors(arguments)]
    else:
        found = [
            (pointer_to(piece.path), error)
            for piece in find_pieces(schema, arguments, compile_part)
            for error in compile_part(piece.schema).iter_errors(piece.value)
        ]
    faults: dict[tuple[str, str], ArgumentFault] = {}
    for where, error in found:
        for fault in _faults(error, manifest, where):
            faults.setdefault((fault.pointer, fault.detail), fault)
        if len(faults) >= _MOST_FAULTS:
            break
    if not faults:
        return [ArgumentFault(pointer="", detail="the arguments do not fit the function")]
    return list(faults.values())[:_MOST_FAULTS]


def compile_schema(
    schema: dict[str, Any], *, exact: bool = True, formats: bool = True
) -> jsonschema_rs.Draft202012Validator:
    """Return a validator for a schema; it never fetches anything outside the schema.

    Args:
        schema: A schema as published.
        exact: Whether 1.0 is refused as an integer.
        formats: Whether formats are checked.

    Raises:
        ValueError: It is not a JSON Schema, or it refers to something outside.
    """
    strict = _tightened(schema, exact=exact)
    fault: Exception | None = None
    # First the regular expressions that pydantic uses; only the other engine has look-around.
    for patterns in (jsonschema_rs.RegexOptions(), jsonschema_rs.FancyRegexOptions()):
        try:
            return jsonschema_rs.Draft202012Validator(
                strict,
                formats=FORMATS,
                validate_formats=formats,
                keywords=_KEYWORDS if formats else {},
                pattern_options=patterns,
                mask=_MASK,
                offline=True,
            )
        except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError) as error:
            fault = error
    raise ValueError(f"not a usable JSON Schema: {fault}")


def _validator(
    manifest: Manifest, *, exact: bool, formats: bool
) -> jsonschema_rs.Draft202012Validator:
    key = (manifest.name, manifest.version, exact, formats)
    schema = manifest.validation_schema
    held = _compiled.get(key)
    if held is not None and (held[0] is schema or held[0] == schema):
        return held[1]
    made = compile_schema(schema, exact=exact, formats=formats)
    with _lock:
        if len(_compiled) >= _MOST_COMPILED:
            _compiled.clear()
        _compiled[key] = (schema, made)
    return made


def _has_whole_float(value: object) -> bool:
    """Whether a number such as 1.0 is anywhere in a JSON value."""
    waiting = [value]
    while waiting:
        here = waiting.pop()
        parts = here.values() if isinstance(here, dict) else here
        if not isinstance(here, dict | list) or not isinstance(parts, Iterable):
            continue
        kinds = set(map(type, parts))
        floats = (part for part in parts if isinstance(part, float)) if len(kinds) > 1 else parts
        if float in kinds and any(map(float.is_integer, floats)):
            return True
        if dict in kinds or list in kinds:
            waiting.extend(part for part in parts if isinstance(part, dict | list))
    return False


def _tightened(schema: Any, *, exact: bool) -> Any:  # noqa: ANN401 - any JSON value
    """Return a copy of a schema with the checks that the published one cannot express."""
    if isinstance(schema, list):
        return [_tightened(part, exact=exact) for part in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: _tightened_part(key, value, exact=exact) for key, value in schema.items()}
    if exact:
        kind = schema.get("type")
        kinds = kind if isinstance(kind, list) else [kind]
        if "integer" in kinds and "number" not in kinds:
            made[_WHOLE] = True
    if schema.get("contentEncoding") == "base64":
        made.setdefault("format", BASE64_FORMAT)
    elif "contentSchema" in schema:  # pydantic's Json type: a text that contains JSON
        made.setdefault("format", "json-string")
    return made


def _tightened_part(key: str, value: Any, *, exact: bool) -> Any:  # noqa: ANN401
    if key in _BY_NAME and isinstance(value, dict):  # author's names, which may equal keywords
        return {name: _tightened(part, exact=exact) for name, part in value.items()}
    return value if key in _VALUES else _tightened(value, exact=exact)


def _faults(
    error: jsonschema_rs.ValidationError, manifest: Manifest, where: str = ""
) -> Iterable[ArgumentFault]:
    here = where + pointer_to(error.instance_path)
    kind = error.kind
    if isinstance(kind, jsonschema_rs.ValidationErrorKind.Required):
        yield ArgumentFault(pointer=here + pointer_to([kind.property]), detail="is required")
    elif isinstance(kind, jsonschema_rs.ValidationErrorKind.AdditionalProperties):
        known = list(manifest.parameters.get("properties", ())) if not here else []
        for place, name in enumerate(kind.unexpected[:_MOST_FAULTS]):
            detail = _unexpected(name, known, hints=place < _MOST_HINTS)
            yield ArgumentFault(pointer=here + pointer_to([name[:_LONGEST_NAME]]), detail=detail)
    elif isinstance(
        kind,
        jsonschema_rs.ValidationErrorKind.AnyOf | jsonschema_rs.ValidationErrorKind.OneOfNotValid,
    ):
        yield from _alternatives(where, here, kind.context, manifest)
    elif isinstance(kind, jsonschema_rs.ValidationErrorKind.Format):
        known_as = "standard base64" if kind.format == BASE64_FORMAT else kind.format
        yield ArgumentFault(pointer=here, detail=f"the value is not {known_as}")
    else:
        yield ArgumentFault(pointer=here, detail=error.message[:_DETAIL_MOST])


def _alternatives(
    where: str, here: str, branches: list[list[jsonschema_rs.ValidationError]], manifest: Manifest
) -> Iterable[ArgumentFault]:
    real = [branch for branch in branches if branch and not _is_about_null(branch)]
    if len(real) == 1:  # an optional value: report the faults of the value itself
        for error in real[0]:
            yield from _faults(error, manifest, where)
        return
    reasons = dict.fromkeys(branch[0].message for branch in branches if branch)
    detail = "fits no alternative: " + "; ".join(reasons)
    yield ArgumentFault(pointer=here, detail=detail[:_DETAIL_MOST])


def _is_about_null(branch: list[jsonschema_rs.ValidationError]) -> bool:
    kind = branch[0].kind
    return isinstance(kind, jsonschema_rs.ValidationErrorKind.Type) and kind.types == ["null"]


def _unexpected(name: str, known: list[str], *, hints: bool) -> str:
    is_asked = hints and len(name) <= _LONGEST_NAME
    close = difflib.get_close_matches(name, known, n=1) if is_asked else []
    hint = f"; did you mean {close[0]!r}?" if close else ""
    return f"is not an argument{hint}" if known else "is not a known member"
