"""Parse the `Prefer` header and the query string.

`Prefer` (RFC 7240) is optional, so faults in it are ignored. An unknown query parameter or a wrong
value is refused, so that a typing mistake does not silently mean the default.
`gateway.parsing.call_options` reads the parameters of an invocation.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import parse_qsl

from gateway.problems import refuse_faults
from gateway.routing.operation import QueryParameter
from runtime.errors import ArgumentFault

LONGEST_WAIT_S = 60
_PREFERENCE = re.compile(
    r"""\s*(?P<name>[!#$%&'*+.^_`|~0-9A-Za-z-]+)
        (?:\s*=\s*(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<token>[^\s";,]*)))?
        (?P<parameters>(?:\s*;(?:[^",]|"(?:[^"\\]|\\.)*")*)?)\s*(?:,|\Z)""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Preferences:
    """The preferences of a caller: how many seconds to wait (0 is none), or not to wait."""

    wait_s: int = 0
    respond_async: bool = False

    @property
    def applied(self) -> str:
        """The value of Preference-Applied; empty if nothing was applied."""
        if self.respond_async:
            return "respond-async"
        return f"wait={self.wait_s}" if self.wait_s else ""


NO_PREFERENCES = Preferences()


@lru_cache(maxsize=64)
def read_preferences(header: str | None) -> Preferences:
    """Parse a Prefer header, with repeated headers joined by commas.

    The first of two preferences with one name counts (RFC 7240, section 2). `respond-async` alone
    means not to wait. With `wait` it means to wait that long and then return 202, which is what
    `wait` does anyway.
    """
    if not header:
        return NO_PREFERENCES
    seen: dict[str, str] = {}
    at = 0
    while at < len(header):
        match = _PREFERENCE.match(header, at)
        if match is None:
            comma = header.find(",", at)
            at = len(header) if comma < 0 else comma + 1
            continue
        at = match.end()
        quoted = match["quoted"]
        value = re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else match["token"] or ""
        seen.setdefault(match["name"].lower(), value)
    wait = seen.get("wait", "")
    if wait.isascii() and wait.isdigit() and int(wait[:9]) > 0:
        return Preferences(wait_s=min(int(wait[:9]), LONGEST_WAIT_S))
    return Preferences(respond_async="respond-async" in seen)


def read_query(query: str, known: Iterable[str]) -> dict[str, str]:
    """Return the query parameters of a route that accepts `known`, each at most once.

    Raises:
        ProblemError: `parameter_invalid`, with a fault for each unknown or repeated parameter.
    """
    if not query:
        return {}
    parameters = [QueryParameter(name=name, description="") for name in known]
    return {name: values[0] for name, values in read_query_lists(query, parameters).items()}


def read_query_lists(query: str, known: Sequence[QueryParameter]) -> dict[str, list[str]]:
    """Return all values of the query parameters of a route that accepts `known`.

    Raises:
        ProblemError: `parameter_invalid`, with a fault for each parameter that is unknown or given
            too often.
    """
    most = {parameter.name: parameter.most for parameter in known}
    given: dict[str, list[str]] = {}
    faults: dict[str, ArgumentFault] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name not in most:
            takes = ", ".join(most) if most else "none"
            faults[name] = fault_of(
                f"?{name}", f"is unknown; the query parameters here are: {takes}"
            )
            continue
        given.setdefault(name, []).append(value)
        if len(given[name]) > most[name]:
            often = f"{most[name]} times" if most[name] > 1 else "once"
            faults[name] = fault_of(f"?{name}", f"was given more than {often}")
    refuse_parameters(faults.values())
    return given


def refuse_parameters(faults: Iterable[ArgumentFault]) -> None:
    """Raise `parameter_invalid` if there are faults of query parameters or headers."""
    refuse_faults("parameter_invalid", faults)


def fault_of(pointer: str, detail: str) -> ArgumentFault:
    """Return a fault; the pointer is `?name` for a query parameter, or the name of a header."""
    return ArgumentFault(pointer=pointer, detail=detail)
