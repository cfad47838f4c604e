"""Looking back at invocations: filters, and a page of records that pass them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from runtime.invocations.record import Record, record_from_hash
from runtime.invocations.status import Status
from runtime.store.listing_commands import Page, list_page
from runtime.store.scripts import Command


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Which invocations; None is any, and so is no status.

    Attributes:
        since_ms: Accepted at this moment or later.
        before_ms: Accepted before this moment.
    """

    function: str | None = None
    statuses: tuple[Status, ...] = ()
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
) -> Command[RecordPage]:
    """Read a page, newest first; `after` is `next` of the page before.

    A page may be short, even empty, and still have a next one.
    """
    [last] = after or (_least_id(filters.before_ms),)
    call = list_page(
        function=filters.function or "",
        statuses=[status.value for status in filters.statuses],
        tag=filters.tag or "",
        since=_least_id(filters.since_ms),
        after=last,
        # One more than shown tells whether there is a next page.
        most=most + 1,
    )

    def parse(reply: object) -> RecordPage:
        page: Page = call.parse(reply)
        records = tuple(record_from_hash(found, flat) for found, flat in page.records)
        if len(records) <= most:
            return RecordPage(records=records, next=(page.next,) if page.next else None)
        return RecordPage(records=records[:most], next=(records[most - 1].id,))

    return replace(call, parse=parse)  # type: ignore[arg-type, return-value]


def _least_id(moment_ms: int | None) -> str:
    """Return what no id of that moment or later is less than, as ids are in order of birth."""
    if moment_ms is None:
        return ""
    text = f"{max(0, moment_ms):012x}"
    return f"{text[:8]}-{text[8:]}"
