"""A consistency check as operators and metrics see it: its state and what it has found."""

from __future__ import annotations

from collections import Counter
from typing import Literal

import msgspec

from runtime.store.check_commands import StoredCheck

State = Literal["waiting", "running", "finished"]
FINDING_KINDS = (
    *("batch_without_end", "incomplete_delivery", "incomplete_record", "incomplete_schedule"),
    *("lane_without_turn", "missing_delivery", "missing_in_due", "missing_in_expiring"),
    *("missing_in_index", "missing_in_lane", "missing_in_retention", "missing_in_schedules_due"),
    *("missing_lease", "stray_in_due", "stray_in_expiring", "stray_in_index", "stray_in_keys"),
    *("stray_in_lane", "stray_in_leases", "stray_in_retention", "stray_in_ring"),
    *("stray_in_running", "stray_in_schedules_due", "unreadable", "wrong_batch_count"),
    "wrong_count",
)
"""All kinds of findings; docs/operations/check.md says what each means."""
_FOUND, _MENDED = "found:", "mended:"


class CheckFinding(msgspec.Struct, frozen=True, kw_only=True):
    """One inconsistency."""

    kind: str
    id: str
    actual: str = msgspec.field(name="is")
    expected: str = msgspec.field(name="should")
    is_repaired: bool = msgspec.field(name="repaired")


class CheckSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A check; `found` counts findings by kind, `left` those that were not repaired.

    `findings` are the first thousand.
    """

    id: str
    state: State
    repairs: bool
    looked_at: int
    found: dict[str, int]
    left: dict[str, int]
    findings: tuple[CheckFinding, ...]
    worker: str | None = None
    asked_at_ms: int | None = None
    started_at_ms: int | None = None
    finished_at_ms: int | None = None


_decode_finding = msgspec.json.Decoder(CheckFinding).decode


def read_summary(stored: StoredCheck) -> CheckSummary:
    """Parse a check as stored."""
    fields = stored.fields
    found = _counts(fields, _FOUND)
    left = Counter(found)
    left.subtract(_counts(fields, _MENDED))
    return CheckSummary(
        id=stored.id,
        state=_state_of(fields),
        repairs=fields.get("repair") == "1",
        looked_at=int(fields.get("looked_at", 0)),
        found=found,
        left={kind: count for kind, count in sorted(left.items()) if count > 0},
        findings=tuple(map(_decode_finding, stored.findings)),
        worker=fields.get("worker"),
        asked_at_ms=_moment(fields, "asked_at"),
        started_at_ms=_moment(fields, "started_at"),
        finished_at_ms=_moment(fields, "finished_at"),
    )


def _state_of(fields: dict[str, str]) -> State:
    if "finished_at" in fields:
        return "finished"
    return "running" if "started_at" in fields else "waiting"


def _counts(fields: dict[str, str], prefix: str) -> dict[str, int]:
    named = ((name, value) for name, value in fields.items() if name.startswith(prefix))
    return {name.removeprefix(prefix): int(value) for name, value in sorted(named)}


def _moment(fields: dict[str, str], name: str) -> int | None:
    return int(fields[name]) if name in fields else None
