"""Cases of the adverse data set: deliveries, functions, schedules and API keys."""

# ruff: noqa: ARG005 - every case takes the same
from __future__ import annotations

from typing import Any

from runtime.invocations.ids import new_invocation_id
from runtime.registry.manifest import Manifest
from runtime.registry.manifest_codec import encode_manifest
from runtime.store import access_commands as access
from runtime.store import delivery_commands as deliveries
from runtime.store import function_commands as functions
from runtime.store import schedule_commands as schedules
from runtime.store import system_commands as system
from runtime.store.scripts import Command
from tests.support.adverse_cases import GATEWAY_PAGE, case
from tests.support.adverse_data import HOUR_MS, Adverse

case("claim_deliveries", "of 1,000 receivers")(
    lambda d, r: deliveries.claim(free=512, limit=64, lease_ms=1, most_steps=10)
)


@case("settle_delivery", "the last attempt")
def _settle_delivery(data: Adverse, run: int) -> Command[Any]:
    claim = deliveries.claim(free=512, limit=1, lease_ms=HOUR_MS, most_steps=10)
    [item] = data.connection.run(claim).items
    return deliveries.settle(
        delivery_id=item.id,
        attempt=item.attempt,
        next_status="failed",
        retry_in_ms=0,
        pace="slow",
        entry=b"{}",
    )


def _some_delivery(data: Adverse, run: int) -> str:
    [found] = data.command("ZRANGE", data.key("deliveries", "pending"), 1000 + run, 1000 + run)
    return str(found.decode())


case("redeliver", "one")(lambda d, r: deliveries.redeliver(_some_delivery(d, r)))
case("read_delivery", "one")(lambda d, r: deliveries.read(_some_delivery(d, r)))
case("list_deliveries", "of any status")(
    lambda d, r: deliveries.list_page(
        statuses=["pending", "delivered", "failed", "stopped"], limit=GATEWAY_PAGE, before=None
    )
)


def _manifest(name: str) -> bytes:
    return encode_manifest(Manifest(name=name, version="v", file="f.py"))


case("publish_function", "one of 1,000 anew")(
    lambda d, r: functions.publish_function(
        f"f00{r:02}",
        manifest=_manifest(f"f00{r:02}"),
        version=f"new{r}",
        source=b"1" * 100_000,
        schedule=("* * * * *", "UTC"),
    )
)
case("appoint_publisher", "one of 100")(
    lambda d, r: system.appoint_publisher(f"w{r}", withdraw_missing=True)
)
case("set_load_error", "one")(
    lambda d, r: functions.set_load_error(f"f01{r:02}", manifest=_manifest(f"new{r}"))
)
case("unpublish_function", "one of 1,000")(lambda d, r: functions.unpublish_function(f"f02{r:02}"))
case("create_schedule", "one more")(
    lambda d, r: schedules.create_schedule(
        f"more{r}", {"function": "f0001", "arguments": b"{}", "cron": "* * * * *", "paused": "0"}
    )
)
case("change_schedule", "one")(
    lambda d, r: schedules.change_schedule(f"s000{r + 1}", {"paused": "1"})
)
case("delete_schedule", "one")(lambda d, r: schedules.delete_schedule(f"s001{r + 1}"))
case("read_schedules", "a page")(lambda d, r: schedules.list_schedules(after="", most=GATEWAY_PAGE))
case("read_due_schedules", "100 of 1,000")(lambda d, r: schedules.read_agenda(most=100))
case("fire_schedule_now", "one")(
    lambda d, r: schedules.fire_schedule(
        f"s003{r + 1}",
        invocation_id=new_invocation_id(),
        shape=schedules.ScheduleTarget(version="v"),
    )
)


@case("tick_schedule", "all moments that one decision may bring")
def _tick(data: Adverse, run: int) -> Command[Any]:
    due = [one for one in data.connection.run(schedules.read_agenda(most=100)).due if one.function]
    return schedules.tick_schedule(
        due[run + 1],
        since_ms=1,
        following_ms=10**14,
        shape=schedules.ScheduleTarget(version="v"),
        moments=[
            *((at, "") for at in range(1, 101)),
            *((at, new_invocation_id()) for at in range(101, 201)),
        ],
    )


case("create_api_key", "one more")(
    lambda d, r: access.create_key(
        access.StoredKey(id=f"more{r}", name="n", digest="d", scopes=("admin",)),
        lifetime_ms=0,
        callback_secret="s",
        replaces_secret=True,
    )
)
case("revoke_api_key", "one of 500")(lambda d, r: access.revoke_key(f"key{r}"))
case("read_api_keys", "all")(lambda d, r: access.read_keys())
case("touch_api_keys", "100 keys")(lambda d, r: access.touch_keys([f"key{n}" for n in range(100)]))
case("open_session", "one")(lambda d, r: access.open_session("digest", "key9", longest_ms=HOUR_MS))
case("close_session", "one of another")(lambda d, r: access.close_session(f"digest{r}"))
case("read_session", "one")(lambda d, r: access.find_session("digest"))
