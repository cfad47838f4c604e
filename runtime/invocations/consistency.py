"""A consistency check: compare everything in Redis with everything else in Redis.

It walks through all keys once, a page at a time, and scripts compare each page while the system
goes on. Counts come last, when what they count has been repaired. The worker that runs a check, and
tests, take its pages one by one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from typing import Any, TypeVar, get_args

from runtime.errors import StoreError, StoreRefusedError, StoreUnavailableError
from runtime.store import check_commands as calls
from runtime.store.blocking_connection import BlockingConnection
from runtime.store.check_commands import CheckedPage, Finding, Lease, Place
from runtime.store.listing_commands import read_member_ids
from runtime.store.redis_keys import Keys
from runtime.store.scripts import Command
from runtime.store.system_commands import read_names

__all__ = ["Finding", "Walk"]

_LONGEST_REASON = 300
_AT_ONCE = 20  # small sets whose members share a round trip
_LOOKED_UP = 200
_MEMBERS_READ = 1_000
_PLACES: tuple[Place, ...] = get_args(Place)
_NOT_ITS_FAULT = (StoreUnavailableError, StoreRefusedError)
_SCHEDULES = ("schedules", "schedules_due")
_KINDS = (
    *("record", *_PLACES, "batch", "receiver_lane", "receiver", "origin", "delivery"),
    *_SCHEDULES,
)
T = TypeVar("T")
Parts = tuple[str, ...]
Pages = Iterator[tuple[Finding, ...]]
Drawn = Generator[tuple[Finding, ...], None, T]  # yields pages, returns a value
Compare = Callable[..., Command[CheckedPage]]


class Walk:
    """One check from its beginning to its end.

    Args:
        connection: The connection to use.
        repair: Whether inconsistencies are repaired where they are found.
    """

    def __init__(self, connection: BlockingConnection, *, repair: bool) -> None:
        self._connection = connection
        self._repair = repair
        self.looked_at = 0

    def pages(self) -> Pages:
        """Compare page after page; yield the findings of each round trip, mostly none.

        Raises:
            StoreError: Redis is unavailable or refuses writes; earlier findings were yielded.
        """
        cursor = "0"
        while True:
            cursor, keys = self._connection.run(calls.scan_keys(cursor, self._connection.keys))
            yield ()
            yield from self._compare_keys(keys)
            if cursor == "0":
                break
        yield from self._compare_counts()

    def _compare_counts(self) -> Pages:
        leases = yield from self._look_up_leases()
        if len(leases) > calls.MOST_LEASES:
            return
        functions, queues = self._connection.run_many(read_names(self._connection.keys))
        for start in range(0, len(functions), calls.MOST_FUNCTIONS):
            names = functions[start : start + calls.MOST_FUNCTIONS]
            made = calls.compare_functions(names, leases, repair=self._repair)
            yield from _guarded("counts of functions", self._run_all([made]))
        for queue in queues:
            made = calls.compare_queue(queue, leases, repair=self._repair)
            yield from _guarded(f"counts of queue {queue}", self._run_all([made]))

    def _look_up_leases(self) -> Drawn[dict[str, Lease]]:
        ids: dict[str, None] = {}
        cursor = "0"
        while len(ids) <= calls.MOST_LEASES:
            key = self._connection.keys.build("leases")
            cursor, members = self._connection.run(calls.scan_members(key, cursor, is_set=False))
            ids |= dict.fromkeys(members)
            yield ()
            if cursor == "0":
                break
        return (yield from self._look_up(ids, calls.read_lease))

    def _look_up(
        self, ids: Iterable[str], read: Callable[[str, Keys], Command[T]]
    ) -> Drawn[dict[str, T]]:
        wanted = list(ids)
        found: dict[str, T] = {}
        for start in range(0, len(wanted), _LOOKED_UP):
            part = wanted[start : start + _LOOKED_UP]
            replies = self._connection.run_many([read(one, self._connection.keys) for one in part])
            found.update(zip(part, replies, strict=True))
            yield ()
        return found

    def _compare_batch(self, batch: str) -> Pages:
        """Compare a batch, unless too many of its members are unfinished."""
        members: list[str] = []
        while True:
            page = self._connection.run(
                read_member_ids(
                    batch, start=len(members), most=_MEMBERS_READ, keys=self._connection.keys
                )
            )
            members += page
            yield ()
            if len(page) < _MEMBERS_READ:
                break
        statuses = yield from self._look_up(members, calls.read_status)
        unended = [status for status in statuses.values() if status not in calls.ENDINGS]
        if len(unended) <= calls.MOST_UNENDED:
            yield from self._run_all([calls.compare_batch(batch, statuses, repair=self._repair)])

    def _compare_keys(self, keys: Sequence[str]) -> Pages:
        found: dict[str, list[tuple[str, Parts]]] = defaultdict(list)
        for key in dict.fromkeys(keys):
            if match := self._connection.keys.kind_of(key, _KINDS):
                found[match[0]].append((key, match[1]))

        def names_of(*kinds: str) -> list[str]:
            names = (parts[0] for kind in kinds for _, parts in found.get(kind, []))
            return list(dict.fromkeys(names))

        yield from self._in_parts(calls.compare_invocations, names_of("record"), calls.MOST_RECORDS)
        lanes = [parts for _, parts in found.get("lane", [])]
        yield from self._in_parts(calls.check_lanes, lanes, calls.MOST_LANES)
        for place in _PLACES:
            yield from self._compare_members(place, found.get(place, []))
        for batch in names_of("batch"):
            yield from _guarded(batch, self._compare_batch(batch))
        yield from self._in_parts(
            calls.compare_deliveries, names_of("delivery"), calls.MOST_DELIVERIES
        )
        yield from self._in_parts(
            calls.compare_receivers,
            [*names_of("receiver", "receiver_lane"), *(f"origin {o}" for o in names_of("origin"))],
            calls.MOST_RECEIVERS,
        )
        for kind in _SCHEDULES:
            for key, _ in found.get(kind, []):
                yield from _guarded(key, self._compare_listed(key))

    def _in_parts(self, compare: Compare, what: Sequence[Any], most: int) -> Pages:
        parts = (what[start : start + most] for start in range(0, len(what), most))
        for part in parts:
            yield from self._compare_part(compare, part)

    def _compare_part(self, compare: Compare, part: Sequence[Any]) -> Pages:
        """Compare some things together; if one of them fails, compare each of them alone."""
        try:
            yield from self._run_all([compare(part, repair=self._repair)])
        except _NOT_ITS_FAULT:
            raise
        except StoreError as error:
            if len(part) == 1:
                yield (_unreadable(part[0], error),)
            else:
                for one in part:
                    yield from self._compare_part(compare, [one])

    def _run_all(self, made: Sequence[Command[CheckedPage]]) -> Pages:
        """Run commands in one round trip; together quick, as Redis may run nothing in between."""
        if made:
            compared = self._connection.run_many(made)
            self.looked_at += sum(one.looked_at for one in compared)
            yield tuple(finding for one in compared for finding in one.findings)

    def _compare_members(self, place: Place, keys: Sequence[tuple[str, Parts]]) -> Pages:
        """Compare the members of several sets of one kind, a page of each in turn."""
        left = [(key, parts, "0") for key, parts in keys]
        while left:
            group, left = left[:_AT_ONCE], left[_AT_ONCE:]
            left += yield from self._compare_group(place, group)

    def _compare_group(
        self, place: Place, group: Sequence[tuple[str, Parts, str]]
    ) -> Drawn[list[tuple[str, Parts, str]]]:
        """Compare a page of each set; return the sets and cursors that are left."""
        try:
            return (yield from self._compare_page_of_each(place, group))
        except _NOT_ITS_FAULT:
            raise
        except StoreError as error:
            if len(group) == 1:
                yield (_unreadable(group[0][0], error),)
                return []
        left: list[tuple[str, Parts, str]] = []
        for one in group:
            left += yield from self._compare_group(place, [one])
        return left

    def _compare_page_of_each(
        self, place: Place, group: Sequence[tuple[str, Parts, str]]
    ) -> Drawn[list[tuple[str, Parts, str]]]:
        pages = self._connection.run_many(
            [calls.scan_members(key, at, is_set=place == "running") for key, _, at in group]
        )
        yield ()
        left: list[tuple[str, Parts, str]] = []
        made: list[Command[CheckedPage]] = []
        count = 0
        for (key, parts, _), (cursor, members) in zip(group, pages, strict=True):
            for start in range(0, len(members), calls.MOST_PLACES):
                some = members[start : start + calls.MOST_PLACES]
                if count + len(some) > calls.MOST_PLACES:
                    yield from self._run_all(made)
                    made, count = [], 0
                made.append(calls.check_places(place, parts, some, repair=self._repair))
                count += len(some)
            if cursor != "0":
                left.append((key, parts, cursor))
        yield from self._run_all(made)
        return left

    def _compare_listed(self, key: str) -> Pages:
        cursor = "0"
        while True:
            cursor, ids = self._connection.run(calls.scan_members(key, cursor, is_set=False))
            yield ()
            yield from self._in_parts(calls.compare_schedules, ids, calls.MOST_SCHEDULES)
            if cursor == "0":
                return


def _guarded(what: str, pages: Pages) -> Pages:
    """Yield pages; what cannot be compared becomes a finding."""
    try:
        yield from pages
    except _NOT_ITS_FAULT:
        raise
    except StoreError as error:
        yield (_unreadable(what, error),)


def _unreadable(what: str | Parts, error: StoreError) -> Finding:
    return Finding(
        kind="unreadable",
        id=what if isinstance(what, str) else " ".join(what),
        actual=f"Redis says: {error}"[:_LONGEST_REASON],
        expected="something that can be read",
        is_repaired=False,
    )
