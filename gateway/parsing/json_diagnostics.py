"""Find the first fault of a JSON text and its place, for the error message.

A strict reader of RFC 8259 that stops at the first fault. It is slow, so it runs only after
`runtime.strict_json` has refused a body, and it never decides that a body is accepted.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass, field

from runtime.json_shape import DEEPEST

# The beginnings of the faults that well-formed JSON can have.
RULES_BROKEN = ("The body must be", "Nested deeper", "Duplicate key")
_LONGEST_INTEGER_DIGITS = 4300
_SHOWN_CHARACTERS = 40
_TOKEN = re.compile(
    r"""[ \t\n\r]*(?:
      (?P<mark>[{}\[\]:,])
    | (?P<string>"[^"\\\x00-\x1f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*)*")
    | (?P<number>-?(?:0|[1-9][0-9]*)(?P<real>(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?))(?![0-9.eE+-])
    | (?P<word>(?:true|false|null)(?![A-Za-z0-9_]))
    )""",
    re.VERBOSE,
)
_SPACE = re.compile(r"[ \t\n\r]*")
_UNPARSED = re.compile(r'-?[A-Za-z0-9_.+-]+|"(?:[^"\\\n]|\\.){0,40}|.', re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonFault:
    """A fault and its place; line and column begin at 1, and the column counts characters."""

    what: str
    line: int
    column: int


class _FaultError(Exception):
    def __init__(self, what: str, at: int) -> None:
        super().__init__(what)
        self.what = what
        self.at = at


def find_fault(body: bytes) -> JsonFault | None:
    """Return the first fault of a body that should be a JSON object; None if there is none."""
    encoding = find_encoding_fault(body)
    if encoding is not None:
        return encoding
    text = body.decode()
    try:
        _Reader(text).read()
    except _FaultError as fault:
        return _located(text, fault.what, fault.at)
    return None


def _located(text: str, what: str, at: int) -> JsonFault:
    line = text.count("\n", 0, at) + 1
    return JsonFault(what=what, line=line, column=at - (text.rfind("\n", 0, at) + 1) + 1)


def locate(body: bytes, what: str, at: int) -> JsonFault:
    """Return a fault at a byte offset of a UTF-8 body."""
    start = body.rfind(b"\n", 0, at) + 1
    column = len(body[start:at].decode(errors="replace")) + 1
    return JsonFault(what=what, line=body.count(b"\n", 0, at) + 1, column=column)


def find_encoding_fault(body: bytes) -> JsonFault | None:
    """Return why a body is not UTF-8 without a byte order mark; None if it is."""
    if body.startswith(b"\xef\xbb\xbf"):
        return JsonFault(what="The body begins with a byte order mark", line=1, column=1)
    if body.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\x00" in body[:4]:
        return JsonFault(
            what="The body is not UTF-8 (it looks like UTF-16 or -32)", line=1, column=1
        )
    try:
        body.decode()
    except UnicodeDecodeError as error:
        before = body[: error.start].decode()
        what = f"Not UTF-8: byte 0x{body[error.start]:02x} at offset {error.start}"
        return _located(before, what, len(before))
    return None


@dataclass(slots=True)
class _Reader:
    """A pushdown automaton. `_open` is its stack: the keys of each open object, None for an array.

    `_key` is True where a key may come, `_value` where a value may come, `_may_close` where the
    innermost object or array may be closed.
    """

    text: str
    at: int = 0
    _open: list[set[str] | None] = field(default_factory=list)
    _key: bool = False
    _value: bool = True
    _may_close: bool = False

    def read(self) -> None:
        start = self._skip(0)
        if self.text[start : start + 1] not in ("{", ""):
            self._check_top(start)
        while self._value or self._open:
            self._step()
        end = self._skip(self.at)
        if end != len(self.text):
            raise _FaultError(f"Unexpected text follows the object: {self._shown(end)}", end)

    def _check_top(self, start: int) -> None:
        """Refuse a top-level value that is not an object; other faults are found later."""
        match = _TOKEN.match(self.text, start)
        if match is not None and (match["mark"] in (None, "[")):
            raise _FaultError("The body must be a JSON object", start)

    def _step(self) -> None:
        match = _TOKEN.match(self.text, self.at)
        start = self._skip(self.at)
        if match is None:
            raise _FaultError(self._unreadable(start), start)
        self.at = match.end()
        mark = match["mark"]
        if mark in ("}", "]"):
            self._close(mark, start)
        elif self._key:
            self._take_key(match["string"], start)
        elif not self._value:
            self._take_comma(mark, start)
        elif mark in ("{", "["):
            self._enter(mark, start)
        elif mark is not None:
            raise _FaultError(f"Expected a value, not {mark!r}", start)
        else:
            self._take_scalar(match, start)

    def _enter(self, mark: str, start: int) -> None:
        self._open.append(set() if mark == "{" else None)
        if len(self._open) > DEEPEST:
            raise _FaultError(f"Nested deeper than {DEEPEST} levels", start)
        self._key = mark == "{"
        self._value = mark == "["
        self._may_close = True

    def _close(self, mark: str, start: int) -> None:
        wanted = None if not self._open else "]" if self._open[-1] is None else "}"
        if mark != wanted or not self._may_close:
            raise _FaultError(f"Unexpected {mark!r}", start)
        self._open.pop()
        self._after_value()

    def _take_key(self, string: str | None, start: int) -> None:
        if string is None:
            raise _FaultError(f"Expected a key in double quotes, not {self._shown(start)}", start)
        key = self._string(string, start)
        keys = self._open[-1]
        if keys is not None:
            if key in keys:
                raise _FaultError(f"Duplicate key {string[:_SHOWN_CHARACTERS]}", start)
            keys.add(key)
        colon = self._skip(self.at)
        if self.text[colon : colon + 1] != ":":
            raise _FaultError("Expected ':' after the key", colon)
        self.at = colon + 1
        self._key, self._value, self._may_close = False, True, False

    def _take_comma(self, mark: str | None, start: int) -> None:
        if mark != ",":
            what = f"Expected ',' or a closing bracket, not {self._shown(start)}"
            raise _FaultError(what, start)
        self._key = self._open[-1] is not None
        self._value = not self._key
        self._may_close = False

    def _take_scalar(self, match: re.Match[str], start: int) -> None:
        if match["string"] is not None:
            self._string(match["string"], start)
        elif number := match["number"]:
            too_long = not match["real"] and len(number) > _LONGEST_INTEGER_DIGITS
            if too_long or (match["real"] and math.isinf(float(number))):
                raise _FaultError(f"The number {self._shown(start)} is out of range", start)
        self._after_value()

    def _after_value(self) -> None:
        self._key, self._value, self._may_close = False, False, True

    def _string(self, token: str, start: int) -> str:
        if "\\" not in token:
            return token[1:-1]
        text: str = json.loads(token)
        if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
            raise _FaultError("A string has a lone surrogate", start)
        return text

    def _skip(self, at: int) -> int:
        match = _SPACE.match(self.text, at)
        return match.end() if match else at

    def _shown(self, at: int) -> str:
        match = _UNPARSED.match(self.text, at)
        return repr(match[0][:_SHOWN_CHARACTERS]) if match else "the end of the body"

    def _unreadable(self, at: int) -> str:
        if at >= len(self.text):
            return "The body is empty" if not self.text.strip() else "The body ends too early"
        shown = self._shown(at)
        if shown.strip("'-+") in {"NaN", "Infinity"}:
            return f"{shown} is not a JSON number"
        if shown.startswith(("'\"", '"')):
            why = "is not closed, or has a control character or an invalid escape"
            return f"A string {why}: {shown}"
        return f"This is not JSON: {shown}"
