"""Looking back at invocations: filters, and a page of records that pass them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from runtime.invocations.record import Record, record_from_hash
from runtime.invocations.statuses import FINISHED, Status
from runtime.store.listing_calls import Page, list_history, list_live
from runtime.store.scripts import Call


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Which invocations; None is any.

    Attributes:
        since_ms: Accepted at this moment or later.
        before_ms: Accepted before this moment.
    """

    function: str | None = None
    status: Status | None = None
    tag: str | None = None
    since_ms: int | None = None
    before_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordPage:
    """Some records, long values left out, and where the next page begins; None at the end."""

    records: tuple[Record, ...]
    next: tuple[str, ...] | None


def list_invocations(
    filters: Filters, *, after: tuple[str, ...] = (), most: int
) -> Call[RecordPage]:
    """Read a page, newest first; `after` is `next` of the page before.

    A page may be short, even empty, and still have a next one.
    """
    function, tag = filters.function or "", filters.tag or ""
    status = filters.status.value if filters.status else ""
    since, before = _least_id(filters.since_ms), _least_id(filters.before_ms)
    if _is_live(filters):
        at, last = after or ("", "")
        call = list_live(
            function=function,
            status=status,
            tag=tag,
            since=since,
            before=before,
            after=(at, last),
            most=most,
        )
    else:
        [last] = after or (before,)
        # One more than shown tells whether there is a next page.
        call = list_history(
            function=function, status=status, tag=tag, since=since, after=last, most=most + 1
        )

    def parse(reply: object) -> RecordPage:
        page: Page = call.parse(reply)
        records = tuple(record_from_hash(found, flat) for found, flat in page.records)
        if len(records) <= most:
            return RecordPage(records=records, next=page.next)
        return RecordPage(records=records[:most], next=(records[most - 1].id,))

    return replace(call, parse=parse)  # type: ignore[arg-type, return-value]


def _least_id(moment_ms: int | None) -> str:
    """Return what no id of that moment or later is less than, as ids are in order of birth."""
    if moment_ms is None:
        return ""
    text = f"{max(0, moment_ms):012x}"
    return f"{text[:8]}-{text[8:]}"


def _is_live(filters: Filters) -> bool:
    return filters.status is not None and filters.status not in FINISHED
