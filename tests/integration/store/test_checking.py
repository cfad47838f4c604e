"""A check finds each kind of damage and nothing else, mends it, and is clean after it."""

from __future__ import annotations

import pytest

from runtime.invocations.consistency import Finding
from runtime.store import delivery_commands as deliveries
from runtime.store.blocking_connection import BlockingConnection
from runtime.store.invocation_commands import cancel
from tests.support.check_scene import CALLBACK, Scene, batch_of, set_scene
from tests.support.checking import check_all
from tests.support.damages import DAMAGES
from tests.support.life import WEEK_MS, Life
from tests.support.traffic import Traffic
from tests.support.waiting import eventually


@pytest.fixture
def scene(life: Life) -> Scene:
    return set_scene(life)


def named_findings(scene: Scene, findings: list[Finding]) -> set[tuple[str, str]]:
    """The findings, an id by what the scene calls it."""
    names = {v: k for k, v in {**vars(scene), "delivery": scene.delivery}.items() if k != "life"}
    return {(one.kind, names.get(one.id, one.id)) for one in findings}


def test_nothing_is_found_where_nothing_is_wrong(scene: Scene):
    assert scene.check() == []


@pytest.mark.parametrize("what", DAMAGES)
def test_damage_is_found_mended_and_gone(scene: Scene, what: str):
    damage, expected = DAMAGES[what]
    damage(scene)

    found = scene.check()
    mended = scene.check(repair=True)
    left = scene.check()

    assert named_findings(scene, found) == expected
    assert {one.is_repaired for one in found} == {False}
    assert expected & named_findings(scene, mended)
    assert {one.is_repaired for one in mended} == {True}
    assert left == []


def test_an_ended_record_gets_its_function_back_or_else_a_stand_in(scene: Scene):
    life = scene.life
    scene.raw("HDEL", ("record", scene.ended), "function")
    scene.raw("HDEL", ("record", scene.called_back), "function")
    scene.raw("ZREM", ("index", "end:f:failed"), scene.called_back)

    scene.check(repair=True)

    names = [life.read(one).function for one in (scene.ended, scene.called_back)]
    assert names == ["f", "unknown"]
    assert scene.check() == []


@pytest.mark.parametrize("what", DAMAGES)
def test_after_a_repair_every_call_ends(scene: Scene, what: str):
    damage, _ = DAMAGES[what]
    damage(scene)
    life = scene.life
    records = [
        *(scene.queued, scene.keyed, scene.scheduled, scene.retrying, scene.running, scene.limited),
    ]
    alive = [one for one in records if life.command("EXISTS", life.key("record", one))]

    scene.check(repair=True)
    for one in (scene.scheduled, scene.retrying):
        life.command("ZADD", life.key("due", "default"), "XX", 1, one)
    for name in ("running", "limited"):
        life.command("ZADD", life.key("leases"), "XX", 1, getattr(scene, name))
    life.beat()

    def all_ended() -> bool:
        for item in life.claim(8).items:
            life.settle(item)
        return all(life.read(one).is_finished for one in alive)

    eventually(all_ended, within_s=5)
    assert scene.check() == []


def test_a_batch_with_a_lost_member_comes_to_its_end(life: Life):
    batch = batch_of(life, 2)
    [lost] = life.command("LRANGE", life.key("batch_items", batch), 0, 0)
    life.command("DEL", life.key("record", lost.decode()))
    life.command("ZREM", life.key("lane", "batch", "b", ""), lost)
    check_all(life.connection, repair=True)
    [other] = life.command("LRANGE", life.key("batch_items", batch), 1, 1)

    life.connection.run(cancel(other.decode()))

    assert life.command("HGET", life.key("batch", batch), "finished_at")
    assert life.command("HGET", life.key("batch", batch), "failed") == b"1"
    assert check_all(life.connection) == []


def test_a_receiver_whose_turn_was_lost_gets_it_back(scene: Scene):
    connection = scene.life.connection
    claim = deliveries.claim(free=1, limit=1, lease_ms=1, most_steps=9)
    for _ in range(3):
        scene.life.submit("f", callback=CALLBACK)
    for item in scene.life.claim(8).items:
        scene.life.settle(item)
    connection.run(claim)
    assert scene.check() == []
    scene.raw("DEL", ("origins",))

    found = scene.check(repair=True)

    assert {one.kind for one in found} <= {"lane_without_turn"}
    assert scene.check() == []


def test_a_check_during_heavy_traffic_finds_nothing(redis_url: str, connection: BlockingConnection):
    found: list[Finding] = []
    with Traffic(redis_url) as traffic:
        eventually(lambda: traffic.ended > 300 or traffic.errors, within_s=20)
        for _ in range(5):
            found += check_all(connection)
            found += check_all(connection, repair=True)

    assert traffic.errors == []
    assert found == []


UNREADABLE = {
    "record": ("record", "{queued}"),
    "batch": ("batch", "01a22994-502e-7929-ae6e-2a6148e565bd"),
    "delivery": ("delivery", "dlv_x"),
    "schedule": ("schedule", "x"),
    "index": ("index", "tag:x"),
    "lane": ("lane", "default", "g", ""),
}


@pytest.mark.parametrize("what", UNREADABLE)
def test_a_key_of_another_type_is_told_and_the_check_goes_on(life: Life, what: str):
    queued, lost = life.submit("f"), life.submit("f")
    life.command("ZREM", life.key("lane", "default", "f", ""), lost)
    life.command("ZADD", life.key("schedules"), 0, "x")
    name, *parts = (part.format(queued=queued) for part in UNREADABLE[what])
    life.command("DEL", life.key(name, *parts))
    life.command("SET", life.key(name, *parts), "text")

    found = check_all(life.connection, repair=True)
    left = check_all(life.connection)

    assert "unreadable" in {one.kind for one in found}
    assert ("missing_in_lane", lost, True) in {(o.kind, o.id, o.is_repaired) for o in found}
    assert {one.kind for one in left} <= {"unreadable", "incomplete_schedule"}


@pytest.mark.parametrize("field", ["created_at", "scheduled_for", "expires_at", "finished_at"])
@pytest.mark.parametrize("status", ["queued", "scheduled", "ended"])
def test_a_field_that_is_no_number_does_not_stop_the_check(life: Life, field: str, status: str):
    lost = life.submit("g")
    life.command("DEL", life.key("lane", "default", "g", ""))
    hurt = life.submit(
        "f", callback="http://x.example/", delay_ms=WEEK_MS * (status == "scheduled")
    )
    if status == "ended":
        assert life.connection.run(cancel(hurt)) == "CANCELLED"
    for place in ("due", "lane"):
        life.command("DEL", life.key(place, "default", *(["f", ""] * (place == "lane"))))
    life.command("HSET", life.key("record", hurt), field, "x")

    found = check_all(life.connection, repair=True)

    assert ("missing_in_lane", lost, True) in {(o.kind, o.id, o.is_repaired) for o in found}
