"""Functions to schedule, schedules, and tickers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest

from runtime.invocations.record import Record, record_from_hash
from runtime.registry.manifest import Manifest
from runtime.registry.manifest_codec import encode_manifest
from runtime.sdk.options import Options
from runtime.store import function_commands, schedule_commands
from runtime.store.blocking_connection import BlockingConnection
from runtime.store.listing_commands import list_page
from runtime.store.schedule_commands import Schedule
from runtime.worker.maintenance import Maintenance
from tests.support.life import Life
from tests.support.upkeeping import ticker, upkeep_of


class Planner(Life):
    """Short words for what people do with schedules."""

    def publish(self, name: str = "f", *, version: str = "v1", **options: Any) -> bool:
        """Publish a function, with its own schedule when the options name one."""
        chosen = Options(**options)
        manifest = Manifest(name=name, version=version, file=f"{name}.py", options=chosen)
        return self.connection.run(
            function_commands.publish_function(
                name,
                manifest=encode_manifest(manifest),
                version=version,
                source=b"",
                schedule=(chosen.schedule or "", chosen.timezone),
            )
        )

    def withdraw(self, name: str = "f") -> None:
        self.connection.run(function_commands.unpublish_function(name))

    def create(self, schedule_id: str = "sch-1", **fields: Any) -> str:
        """Make a schedule as the API does."""
        usual = {
            "function": "f",
            "arguments": b'{"a":1}',
            "cron": "* * * * * *",
            "timezone": "UTC",
            "paused": "0",
            "overlap": "1",
            "catch_up": "0",
        }
        self.connection.run(schedule_commands.create_schedule(schedule_id, {**usual, **fields}))
        return schedule_id

    def schedule(self, schedule_id: str = "sch-1") -> Schedule:
        found = self.find(schedule_id)
        assert found is not None
        return found

    def find(self, schedule_id: str) -> Schedule | None:
        page = self.connection.run(schedule_commands.read_schedule(schedule_id))
        return page.schedules[0] if page.schedules else None

    def change(self, schedule_id: str = "sch-1", **fields: str) -> str:
        return self.connection.run(schedule_commands.change_schedule(schedule_id, fields))

    def set_since(self, since_ms: int, schedule_id: str = "sch-1") -> None:
        """Make everything after `since_ms` yet to be decided, as after an absence."""
        self.command("HSET", self.key("schedule", schedule_id), "since", since_ms)
        self.command("ZADD", self.key("schedules_due"), 0, schedule_id)
        self.command("RPUSH", self.key("schedules_wake"), "1")

    def invocations(self, function: str = "f") -> list[Record]:
        """Every invocation of a function, oldest first."""
        listed = list_page(function=function, most=1_000)
        page = self.connection.run(listed)
        return [record_from_hash(each, flat) for each, flat in reversed(page.records)]

    def moments(self, function: str = "f") -> list[int]:
        """The moments that were fired, in order."""
        found = [record.scheduled_for_ms for record in self.invocations(function)]
        return sorted(at for at in found if at is not None)

    def tags(self, record: Record) -> list[str]:
        return msgspec.json.decode(record.tags)


@pytest.fixture
def planner(connection: BlockingConnection) -> Planner:
    planner = Planner(connection)
    planner.publish("f")
    return planner


@pytest.fixture
def start_ticker(redis_url: str) -> Iterator[Callable[[], Maintenance]]:
    """Start a ticker; all are stopped at the end."""
    started: list[Maintenance] = []

    def start() -> Maintenance:
        upkeep = upkeep_of(redis_url, ticker)
        upkeep.start()
        started.append(upkeep)
        return upkeep

    yield start
    for upkeep in started:
        upkeep.stop()
