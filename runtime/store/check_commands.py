"""Typed commands of a consistency check.

Those that compare a page also repair it, in one step. The others store the check itself: which
worker runs it, how far it has come, and what it has found.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from runtime.store.invocation_commands import FAILURE_TTL_MS
from runtime.store.redis_keys import Keys
from runtime.store.scripts import Argument, Command, call_script, pairs

MOST_RECORDS = 100
MOST_PLACES = 200
MOST_LANES = 200
MOST_FUNCTIONS = 200
MOST_DELIVERIES = 200
MOST_SCHEDULES = 200
MOST_RECEIVERS = 100
MOST_LEASES = 10_000
MOST_UNENDED = 4_000
MOST_NOTED = 500
ENDINGS = ("succeeded", "failed", "cancelled", "expired")
MOST_KEPT = 1_000
KEPT_MS = 30 * 24 * 3_600_000
INTERVAL_MS = 24 * 3_600_000
LEASE_MS = 60_000
_SCANNED = 500
_SCANNED_MEMBERS = 100

Place = Literal[
    "leases", "due", "expiring", "retention", "index", "running", "lane", "keys", "ring"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """An inconsistency: what it is about, what is stored, and what should be."""

    kind: str
    id: str
    actual: str
    expected: str
    is_repaired: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """What never changes of a running invocation: its function and its queue."""

    function: str
    queue: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedPage:
    """The result of one page: how many things were compared, and what was inconsistent."""

    looked_at: int
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenCheck:
    """A check that this worker must run now, or when to ask again."""

    id: str | None
    repairs: bool
    wait_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCheck:
    """A check as stored: the fields of its hash, and its findings as JSON."""

    id: str
    fields: dict[str, str]
    findings: tuple[bytes, ...]


def compare_invocations(ids: Sequence[str], *, repair: bool) -> Command[CheckedPage]:
    """Check that up to `MOST_RECORDS` records are listed where they should be."""
    return _compare("check_invocations", repair, FAILURE_TTL_MS, *ids)


def check_places(
    place: Place, parts: Sequence[str], ids: Sequence[str], *, repair: bool
) -> Command[CheckedPage]:
    """Check that up to `MOST_PLACES` members of a set or index belong there."""
    return _compare("check_places", repair, place, " ".join(parts), *ids)


def check_lanes(lanes: Iterable[Sequence[str]], *, repair: bool) -> Command[CheckedPage]:
    """Check that up to `MOST_LANES` lanes, as (queue, function, key), have their turns."""
    return _compare("check_lanes", repair, *(part for lane in lanes for part in lane))


def compare_functions(
    names: Sequence[str], leases: Mapping[str, Lease], *, repair: bool
) -> Command[CheckedPage]:
    """Check the counts of up to `MOST_FUNCTIONS` functions; `leases` as far as looked up."""
    known = _known(leases, queue="")
    return _compare("check_counts", repair, "", len(names), *names, *known)


def compare_queue(queue: str, leases: Mapping[str, Lease], *, repair: bool) -> Command[CheckedPage]:
    """Check the counts of a queue; `leases` as far as looked up."""
    return _compare("check_counts", repair, queue, 0, *_known(leases, queue=queue))


def compare_batch(batch: str, statuses: Mapping[str, str], *, repair: bool) -> Command[CheckedPage]:
    """Check a batch's counts of its members; `statuses` as looked up, "" for no record."""
    counts = Counter(statuses.values())
    unended = [one for one, status in statuses.items() if status and status not in ENDINGS]
    ended = (counts[status] for status in ENDINGS)
    return _compare("check_batch", repair, batch, *ended, counts[""], *unended)


def compare_deliveries(ids: Sequence[str], *, repair: bool) -> Command[CheckedPage]:
    """Check that up to `MOST_DELIVERIES` deliveries will be sent or will expire."""
    return _compare("check_deliveries", repair, *ids)


def compare_receivers(receivers: Sequence[str], *, repair: bool) -> Command[CheckedPage]:
    """Check that up to `MOST_RECEIVERS` receivers, named by digests, have their turns.

    "origin <digest>" checks the count of an origin's attempts in flight.
    """
    return _compare("check_receivers", repair, *receivers)


def compare_schedules(ids: Sequence[str], *, repair: bool) -> Command[CheckedPage]:
    """Check that up to `MOST_SCHEDULES` schedules will be ticked."""
    return _compare("check_schedules", repair, *ids)


def scan_keys(cursor: str, keys: Keys) -> Command[tuple[str, list[str]]]:
    """Read the next keys of the partition; cursor "0" begins and ends the scan."""
    prefix = "".join(f"\\{sign}" if sign in "*?[]\\" else sign for sign in keys.prefix)
    words = ("SCAN", cursor, "MATCH", f"{prefix}*", "COUNT", _SCANNED)
    return Command(words, lambda reply: (reply[0].decode(), [_text(key) for key in reply[1]]))


def scan_members(key: str, cursor: str, *, is_set: bool) -> Command[tuple[str, list[str]]]:
    """Read the next members of a sorted set, or of a set."""
    words = ("SSCAN" if is_set else "ZSCAN", _bytes(key), cursor, "COUNT", _SCANNED_MEMBERS)
    step = 1 if is_set else 2
    return Command(words, lambda reply: (reply[0].decode(), [_text(m) for m in reply[1][::step]]))


def read_lease(invocation_id: str, keys: Keys) -> Command[Lease]:
    """Look up what never changes of an invocation: its function and its queue."""
    words = ("HMGET", keys.build("record", invocation_id), "function", "queue")
    return Command(
        words, lambda reply: Lease(function=_text(reply[0] or b""), queue=_text(reply[1] or b""))
    )


def read_status(invocation_id: str, keys: Keys) -> Command[str]:
    """Look up an invocation's status; "" if there is no record."""
    words = ("HGET", keys.build("record", invocation_id), "status")
    return Command(words, lambda reply: _text(reply or b""))


def ask_check(check_id: str, *, repair: bool) -> Command[str]:
    """Request a check; return the id of the check that will answer."""
    words = (check_id, "1" if repair else "0", KEPT_MS)
    return call_script("request_check", words, lambda reply: reply.decode())


def take_check(
    worker: str, *, own_id: str, lease_ms: int = LEASE_MS, interval_ms: int = INTERVAL_MS
) -> Command[TakenCheck]:
    """Take the check that is requested or due, if there is one and no worker runs any."""
    words = (worker, lease_ms, interval_ms, KEPT_MS, own_id)
    return call_script(
        "take_check",
        words,
        lambda reply: TakenCheck(
            id=reply[0].decode() or None, repairs=reply[1] == 1, wait_ms=reply[2]
        ),
    )


def save_check(
    check_id: str,
    worker: str,
    *,
    looked_at: int,
    findings: Sequence[Finding],
    is_last: bool,
    lease_ms: int = LEASE_MS,
    interval_ms: int = INTERVAL_MS,
) -> Command[bool]:
    """Store a check's progress and up to `MOST_NOTED` findings; False: another took over."""
    words: list[Argument] = [check_id, worker, lease_ms, interval_ms, KEPT_MS]
    words += ["1" if is_last else "0", looked_at]
    for one in findings:
        said = (one.kind, one.id, one.actual, one.expected)
        words += [text.encode("utf-8", "backslashreplace") for text in said]
        words.append("1" if one.is_repaired else "0")
    return call_script("save_check", tuple(words), lambda reply: reply == b"DONE")


def read_check(check_id: str = "", *, most: int = MOST_KEPT) -> Command[StoredCheck | None]:
    """Read a check, by default the last finished one; None if there is none."""
    return call_script(
        "read_check", (check_id, most), lambda reply: _stored(*reply) if reply[0] else None
    )


def read_checks() -> Command[list[StoredCheck]]:
    """Read the requested, the running and the last finished checks, without findings."""
    return call_script("read_checks", (), lambda reply: [_stored(*entry) for entry in reply])


def wake_key(keys: Keys) -> str:
    """Return the list on which workers wait for requests of checks."""
    return keys.build("checks_wake")


def _compare(name: str, repair: bool, *words: Argument) -> Command[CheckedPage]:  # noqa: FBT001
    sent = (_bytes(word) if isinstance(word, str) else word for word in words)
    return call_script(name, ("1" if repair else "0", *sent), _read_compared)


def _known(leases: Mapping[str, Lease], *, queue: str) -> list[str]:
    words: list[str] = []
    for one, lease in leases.items():
        words += (one, f"{'+' if lease.queue == queue else '-'}{lease.function}")
    return words


def _read_compared(reply: list[Any]) -> CheckedPage:
    return CheckedPage(
        looked_at=reply[0],
        findings=tuple(
            Finding(
                kind=_text(kind),
                id=_text(one),
                actual=_text(actual),
                expected=_text(expected),
                is_repaired=repaired == 1,
            )
            for kind, one, actual, expected, repaired in reply[1]
        ),
    )


def _stored(check_id: bytes, flat: list[bytes], findings: Sequence[bytes] = ()) -> StoredCheck:
    fields = {_text(name): _text(value) for name, value in pairs(flat)}
    return StoredCheck(id=_text(check_id), fields=fields, findings=tuple(findings))


def _text(value: bytes) -> str:
    """Return text that encodes to the same bytes again."""
    return value.decode("utf-8", "surrogateescape")


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
