"""Parse the bodies of POST /keys and POST /session, strictly."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.parsing.json_body import read_json_object
from gateway.parsing.member_names import fault_at, unknown_members
from gateway.problems import refuse_faults
from runtime.access.api_key import check_name
from runtime.access.scopes import FORMS, check_scope
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
    """The contents of a body that creates a key.

    Attributes:
        rate: The rate limit as `parse_rate` reads it; "" for none.
        lifetime_ms: How long the key is valid; 0 means that it never expires.
        wants_secret: Whether its name gets a new callback secret besides the previous one.
    """

    name: str
    scopes: tuple[str, ...]
    rate: str = ""
    lifetime_ms: int = 0
    wants_secret: bool = False


def read_new_key(body: bytes) -> NewKey:
    """Parse the body of a new key.

    Raises:
        ProblemError: `invalid_json`, or `key_invalid` with a pointer to each fault.
    """
    given = read_json_object(body)
    faults = unknown_members(given, _NEW_KEY)
    name, rate, lifetime_ms = "", "", 0
    try:
        name = check_name(_text(given.get("name")))
    except ValueError as error:
        faults.append(fault_at("name", str(error)))
    scopes = _read_scopes(given.get("scopes"), faults)
    if given.get("rate") is not None:
        try:
            parse_rate(given["rate"])
            rate = str(given["rate"]).strip()
        except ValueError as error:
            faults.append(fault_at("rate", str(error)))
    if given.get("expires_in") is not None:
        try:
            lifetime_ms = _read_lifetime(given["expires_in"])
        except ValueError as error:
            faults.append(fault_at("expires_in", str(error)))
    wants = given.get("new_callback_secret", False)
    if not isinstance(wants, bool):
        faults.append(fault_at("new_callback_secret", "takes true or false"))
    refuse_faults("key_invalid", faults)
    return NewKey(
        name=name, scopes=scopes, rate=rate, lifetime_ms=lifetime_ms, wants_secret=bool(wants)
    )


def read_login(body: bytes) -> str:
    """Parse the body of a login and return the text of its key.

    Raises:
        ProblemError: `invalid_json`, or `key_invalid` with a pointer to each fault.
    """
    given = read_json_object(body)
    faults = unknown_members(given, ("key",))
    key = given.get("key")
    if not isinstance(key, str) or not key:
        faults.append(fault_at("key", "takes an API key"))
    refuse_faults("key_invalid", faults)
    return str(key).strip()


def _read_scopes(value: object, faults: list[ArgumentFault]) -> tuple[str, ...]:
    if not isinstance(value, list) or not 0 < len(value) <= MOST_SCOPES:
        detail = f"takes a list of 1 to {MOST_SCOPES} scopes: {', '.join(FORMS)}"
        faults.append(fault_at("scopes", detail))
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
