"""List invocations: filters, and a page of the records that match them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from runtime.invocations.record import Record, record_from_hash
from runtime.invocations.status import Status
from runtime.store.listing_commands import Page, list_page
from runtime.store.scripts import Command


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Which invocations to list; None means any, and so does no status.

    Attributes:
        since_ms: Created at this time or later.
        before_ms: Created before this time.
    """

    function: str | None = None
    statuses: tuple[Status, ...] = ()
    tag: str | None = None
    since_ms: int | None = None
    before_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordPage:
    """Some records without long values, and where the next page begins; None at the end."""

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
        # One more than is returned shows whether there is a next page.
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
    """Return a text that no id of that time or later is less than; ids sort by creation."""
    if moment_ms is None:
        return ""
    text = f"{max(0, moment_ms):012x}"
    return f"{text[:8]}-{text[8:]}"
