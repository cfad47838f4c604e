"""Parse the query of `/system/logs`, as OpenFaaS defines it; unknown parameters are ignored."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qsl

from gateway.parsing.call_options import read_moment
from gateway.parsing.preferences import fault_of, refuse_parameters
from runtime.errors import ArgumentFault

_TRUE = frozenset({"1", "t", "T", "true", "TRUE", "True"})  # what Go's strconv.ParseBool takes
_FALSE = frozenset({"0", "f", "F", "false", "FALSE", "False"})
_MOST_TAIL_DIGITS = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class LogQuery:
    """Which lines a client wants.

    Attributes:
        name: The function, as the client names it.
        namespace: Its namespace; "" for the only one.
        instance: The id of the only invocation to read; "" for all.
        since_ms: Only lines of this time or later, in ms since the epoch.
        tail: How many lines of before; None for all.
        is_followed: Whether lines that come later are sent too.
    """

    name: str
    namespace: str = ""
    instance: str = ""
    since_ms: int = 0
    tail: int | None = None
    is_followed: bool = False


def read_log_query(query: str) -> LogQuery:
    """Return the query.

    Raises:
        ProblemError: `parameter_invalid`, with a fault for each wrong parameter.
    """
    given = dict(parse_qsl(query))
    faults: list[ArgumentFault] = []
    if "name" not in given:
        faults.append(fault_of("?name", "is required: the name of a function"))
    follow = given.get("follow", "false")
    if follow not in _TRUE | _FALSE:
        faults.append(fault_of("?follow", "takes true or false"))
    since_ms = 0
    if "since" in given:
        try:
            since_ms = read_moment(given["since"])
        except ValueError as error:
            faults.append(fault_of("?since", f"takes {error}"))
    tail = _read_tail(given.get("tail", "-1"), faults)
    refuse_parameters(faults)
    return LogQuery(
        name=given["name"],
        namespace=given.get("namespace", ""),
        instance=given.get("instance", ""),
        since_ms=since_ms,
        tail=tail,
        is_followed=follow in _TRUE,
    )


def _read_tail(text: str, faults: list[ArgumentFault]) -> int | None:
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit()):
        faults.append(fault_of("?tail", "takes a number of lines; 0 or less for all"))
        return None
    is_all = text.startswith("-") or len(digits) > _MOST_TAIL_DIGITS
    return None if is_all else int(text) or None
