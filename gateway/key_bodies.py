"""From the bodies of POST /keys and POST /session to what they say, strictly."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from gateway.json_boundary import read_json_object
from gateway.member_names import unknown_names
from gateway.problems import ProblemError
from runtime.access.api_key import check_name
from runtime.access.grants import FORMS, check_scope
from runtime.errors import ArgumentFault
from runtime.sdk.durations import EXAMPLES, parse_duration
from runtime.sdk.option_parsing import parse_rate

MOST_SCOPES = 100
_LONGEST_DAYS = 36_500
_DAY_S = 86_400
LONGEST_S = _LONGEST_DAYS * _DAY_S
_NEW_KEY = ("name", "scopes", "rate", "expires_in", "new_callback_secret")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewKey:
    """What a key shall be.

    Attributes:
        rate: A count per time as `parse_rate` reads it, "" for none of its own.
        lifetime_ms: How long it is valid; 0 is for ever.
        wants_secret: Whether its name shall have a new callback secret beside the last.
    """

    name: str
    scopes: tuple[str, ...]
    rate: str = ""
    lifetime_ms: int = 0
    wants_secret: bool = False


def read_new_key(body: bytes) -> NewKey:
    """Read what makes a key.

    Raises:
        ProblemError: `invalid_json`, or `key_invalid` with a pointer to each fault.
    """
    given = read_json_object(body)
    faults = _unknown(given, _NEW_KEY)
    name, rate, lifetime_ms = "", "", 0
    try:
        name = check_name(_text(given.get("name")))
    except ValueError as error:
        faults.append(ArgumentFault(pointer="/name", detail=str(error)))
    scopes = _read_scopes(given.get("scopes"), faults)
    if given.get("rate") is not None:
        try:
            parse_rate(given["rate"])
            rate = str(given["rate"]).strip()
        except ValueError as error:
            faults.append(ArgumentFault(pointer="/rate", detail=str(error)))
    if given.get("expires_in") is not None:
        try:
            lifetime_ms = _read_lifetime(given["expires_in"])
        except ValueError as error:
            faults.append(ArgumentFault(pointer="/expires_in", detail=str(error)))
    wants = given.get("new_callback_secret", False)
    if not isinstance(wants, bool):
        faults.append(ArgumentFault(pointer="/new_callback_secret", detail="takes true or false"))
    _refuse(faults)
    return NewKey(
        name=name, scopes=scopes, rate=rate, lifetime_ms=lifetime_ms, wants_secret=bool(wants)
    )


def read_login(body: bytes) -> str:
    """Read the key that a person shows.

    Raises:
        ProblemError: `invalid_json`, or `key_invalid` with a pointer to each fault.
    """
    given = read_json_object(body)
    faults = _unknown(given, ("key",))
    key = given.get("key")
    if not isinstance(key, str) or not key:
        faults.append(ArgumentFault(pointer="/key", detail="takes an API key"))
    _refuse(faults)
    return str(key).strip()


def _read_scopes(value: object, faults: list[ArgumentFault]) -> tuple[str, ...]:
    if not isinstance(value, list) or not 0 < len(value) <= MOST_SCOPES:
        detail = f"takes a list of 1 to {MOST_SCOPES} scopes: {', '.join(FORMS)}"
        faults.append(ArgumentFault(pointer="/scopes", detail=detail))
        return ()
    scopes = []
    for at, scope in enumerate(value):
        try:
            scopes.append(check_scope(_text(scope)))
        except ValueError as error:
            faults.append(ArgumentFault(pointer=f"/scopes/{at}", detail=str(error)))
    return tuple(sorted(set(scopes)))


def _read_lifetime(value: object) -> int:
    try:
        seconds = parse_duration(value)
    except ValueError:
        seconds = 0
    if not 1 <= seconds <= LONGEST_S:
        raise ValueError(f"takes a duration from 1s to {_LONGEST_DAYS}d: {EXAMPLES}")
    return int(seconds * 1000)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _unknown(given: dict[str, Any], known: tuple[str, ...]) -> list[ArgumentFault]:
    faults = []
    for name, hint in unknown_names(given, known):
        detail = f"is unknown; {hint}It takes: {', '.join(known)}"
        pointer = "/" + name[:64].replace("~", "~0").replace("/", "~1")
        faults.append(ArgumentFault(pointer=pointer, detail=detail))
    return faults


def _refuse(faults: Iterable[ArgumentFault]) -> None:
    found = tuple(faults)
    if found:
        detail = "; ".join(f"{fault.pointer}: {fault.detail}" for fault in found)
        raise ProblemError("key_invalid", detail, errors=found)
