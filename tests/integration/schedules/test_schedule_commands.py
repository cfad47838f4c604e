"""Schedules at the scripts: made, listed, changed, deleted, declared by functions, ticked."""

from __future__ import annotations

import pytest

from runtime.invocations.ids import new_invocation_id
from runtime.invocations.status import Status
from runtime.store import schedule_commands
from runtime.store.schedule_commands import (
    ScheduleTarget,
    fire_schedule,
    read_agenda,
    tick_schedule,
)

SHAPE = ScheduleTarget(version="v1")


def due(planner):
    [found] = planner.connection.run(read_agenda(most=10)).due
    return found


def tick(planner, schedule, *, moments=(), **more):
    fields = {"since_ms": 5_000, "following_ms": planner.now_ms() + 60_000, "shape": SHAPE}
    births = [(moment, new_invocation_id()) for moment in moments]
    return planner.connection.run(tick_schedule(schedule, moments=births, **{**fields, **more}))


def test_a_schedule_is_read_as_it_was_made(planner):
    planner.create(cron="0 9 * * *", timezone="Europe/Berlin", overlap="0", catch_up="1")

    made = planner.schedule()

    assert (made.function, made.arguments, made.source) == ("f", b'{"a":1}', "api")
    assert (made.cron, made.timezone) == ("0 9 * * *", "Europe/Berlin")
    assert (made.is_paused, made.overlap, made.catch_up) == (False, False, True)
    assert (made.last_invocation, made.fired, made.skipped, made.skips) == (None, 0, 0, ())
    assert abs(planner.now_ms() - made.created_at_ms) < 5_000


def test_making_one_twice_makes_it_once(planner):
    planner.create(cron="0 9 * * *")
    planner.create(cron="0 10 * * *")

    assert planner.schedule().cron == "0 9 * * *"


def test_pages_go_by_id(planner):
    for number in range(5):
        planner.create(f"sch-{number}")

    first = planner.connection.run(schedule_commands.list_schedules(after="", most=3))
    second = planner.connection.run(
        schedule_commands.list_schedules(after=first.next or "", most=3)
    )

    assert [each.id for each in first.schedules] == ["sch-0", "sch-1", "sch-2"]
    assert [each.id for each in second.schedules] == ["sch-3", "sch-4"]
    assert second.next is None


def test_one_that_is_not_there_is_missing_everywhere(planner):
    assert planner.find("sch-x") is None
    assert planner.change("sch-x", paused="1") == "MISSING"
    assert planner.connection.run(schedule_commands.delete_schedule("sch-x")) == "MISSING"
    fired = fire_schedule("sch-x", invocation_id=new_invocation_id(), shape=SHAPE)
    assert planner.connection.run(fired).reception == "MISSING"


def test_a_new_one_is_due_to_be_planned_and_wakes_a_ticker(planner):
    planner.create()

    assert planner.connection.run(read_agenda(most=10)).due[0].id == "sch-1"
    assert planner.command("LLEN", planner.key("schedules_wake")) == 1


def test_a_paused_one_is_never_due(planner):
    planner.create(paused="1")
    assert planner.connection.run(read_agenda(most=10)).due == ()

    planner.change(paused="0")
    assert planner.connection.run(read_agenda(most=10)).due[0].id == "sch-1"

    planner.change(paused="1")
    assert planner.connection.run(read_agenda(most=10)).due == ()


def test_what_passed_during_a_pause_is_not_made_up_for(planner):
    planner.create(catch_up="1")
    planner.change(paused="1")
    planner.command("HSET", planner.key("schedule", "sch-1"), "since", 1_000)

    planner.change(paused="0")

    assert abs(due(planner).since_ms - planner.now_ms()) < 5_000


def test_a_tick_gives_birth_and_sets_the_next_moment(planner):
    planner.create()

    fates = tick(planner, due(planner), moments=[4_000, 5_000])

    assert fates == ["NEW", "NEW"]
    born = planner.invocations()
    assert [record.scheduled_for_ms for record in born] == [4_000, 5_000]
    assert {record.status for record in born} == {Status.QUEUED}
    assert {record.arguments for record in born} == {b'{"a":1}'}
    assert planner.tags(born[0]) == ["schedule:sch-1"]
    assert planner.schedule().last_invocation == born[-1].id
    assert planner.schedule().fired == 2
    agenda = planner.connection.run(read_agenda(most=10))
    assert agenda.due == ()
    assert 50_000 < (agenda.wait_ms or 0) <= 60_000


def test_of_two_ticks_of_one_moment_the_second_is_late(planner):
    planner.create()
    seen = due(planner)

    first = tick(planner, seen, moments=[5_000])
    second = tick(planner, seen, moments=[5_000])

    assert (first, second) == (["NEW"], ["LATE"])
    assert planner.moments() == [5_000]


@pytest.mark.parametrize("change", [{"cron": "0 0 1 1 *"}, {"timezone": "Asia/Tokyo"}])
def test_a_tick_decided_before_a_change_is_late(planner, change):
    planner.create()
    seen = due(planner)

    planner.change(**change)

    assert tick(planner, seen, moments=[5_000]) == ["LATE"]
    assert planner.moments() == []


def test_a_tick_of_one_that_was_paused_or_deleted_meanwhile_is_late(planner):
    planner.create("sch-1")
    planner.create("sch-2")
    paused, deleted = planner.connection.run(read_agenda(most=10)).due

    planner.change("sch-1", paused="1")
    planner.connection.run(schedule_commands.delete_schedule("sch-2"))

    assert tick(planner, paused, moments=[5_000]) == ["LATE"]
    assert tick(planner, deleted, moments=[5_000]) == ["LATE"]
    assert planner.moments() == []


def test_without_overlap_a_tick_is_skipped_until_the_last_invocation_has_ended(planner):
    planner.create(overlap="0")

    first = tick(planner, due(planner), moments=[1_000, 2_000], following_ms=0)
    claimed = planner.claim_one()
    second = tick(planner, due(planner), moments=[3_000], following_ms=0)
    planner.settle(claimed)
    third = tick(planner, due(planner), moments=[4_000])

    assert (first, second, third) == (["NEW", "overlap"], ["overlap"], ["NEW"])
    assert planner.schedule().skipped == 2
    assert planner.schedule().skips == ((3_000, "overlap"), (2_000, "overlap"))
    assert planner.moments() == [1_000, 4_000]


def test_with_overlap_every_tick_fires(planner):
    planner.create(overlap="1")

    assert tick(planner, due(planner), moments=[1_000, 2_000]) == ["NEW", "NEW"]


def test_a_full_queue_skips_and_says_so(planner):
    planner.create()

    full = ScheduleTarget(version="v1", max_waiting=1)
    fates = tick(planner, due(planner), moments=[1_000, 2_000], shape=full)

    assert fates == ["NEW", "full"]
    assert planner.schedule().skips == ((2_000, "full"),)


def test_a_function_that_is_gone_skips_and_says_so(planner):
    planner.create()

    assert tick(planner, due(planner), moments=[1_000], shape=ScheduleTarget()) == ["unavailable"]
    assert planner.schedule().skips == ((1_000, "unavailable"),)
    assert planner.invocations() == []


def test_every_missed_moment_is_counted_and_the_last_hundred_are_named(planner):
    planner.create()
    missed = [(at * 1_000, "") for at in range(1, 121)]

    call = tick_schedule(
        due(planner), since_ms=9, following_ms=10, shape=SHAPE, missed=880, moments=missed
    )
    planner.connection.run(call)

    made = planner.schedule()
    assert made.skipped == 1_000
    assert made.skips == tuple((at * 1_000, "missed") for at in range(120, 20, -1))


def test_firing_by_hand_needs_no_moment_and_minds_no_pause(planner):
    planner.create(paused="1", overlap="0")
    invocation_id = new_invocation_id()

    fired = planner.connection.run(fire_schedule("sch-1", invocation_id=invocation_id, shape=SHAPE))

    record = planner.read(invocation_id)
    assert (fired.reception, fired.created_at_ms) == ("NEW", record.created_at_ms)
    assert fired.arguments == record.arguments == b'{"a":1}'
    assert record.scheduled_for_ms is None
    assert planner.schedule().last_invocation == invocation_id


def test_firing_by_hand_minds_a_full_queue(planner):
    planner.create()
    planner.submit("f")

    shape = ScheduleTarget(version="v1", max_waiting=1)
    fired = planner.connection.run(
        fire_schedule("sch-1", invocation_id=new_invocation_id(), shape=shape)
    )

    assert (fired.reception, fired.waiting) == ("FULL", 1)


def test_a_function_s_own_schedule_comes_with_it_and_goes_with_it(planner):
    planner.publish("g", schedule="0 9 * * *", timezone="Europe/Berlin")
    made = planner.schedule("g")
    assert (made.source, made.function, made.arguments) == ("decorator", "g", b"{}")
    assert (made.cron, made.timezone) == ("0 9 * * *", "Europe/Berlin")

    planner.publish("g", version="v2", schedule="0 10 * * *")
    assert planner.schedule("g").cron == "0 10 * * *"

    planner.publish("g", version="v3")
    assert planner.find("g") is None
    assert planner.connection.run(read_agenda(most=10)).due == ()

    planner.publish("g", version="v4", schedule="0 9 * * *")
    planner.withdraw("g")
    assert planner.find("g") is None


def test_a_pause_survives_a_redeploy_and_a_short_absence(planner):
    planner.publish("g", schedule="0 9 * * *")
    planner.change("g", paused="1")

    planner.publish("g", version="v2", schedule="0 10 * * *")
    assert planner.schedule("g").is_paused

    planner.withdraw("g")
    planner.publish("g", version="v2", schedule="0 10 * * *")
    assert planner.schedule("g").is_paused
    assert planner.connection.run(read_agenda(most=10)).due == ()
    assert planner.command("PTTL", planner.key("schedule", "g")) == -1


def test_a_redeploy_with_the_same_line_leaves_its_due_moment_alone(planner):
    planner.publish("g", schedule="* * * * * *")
    tick(planner, due(planner), following_ms=123_456)

    planner.publish("g", version="v2", schedule="* * * * * *")

    assert due(planner).due == b"123456"


def test_a_lost_schedule_comes_back_when_the_function_is_published_again(planner):
    planner.publish("g", schedule="0 9 * * *")
    planner.command("DEL", planner.key("schedules"), planner.key("schedule", "g"))

    assert planner.publish("g", schedule="0 9 * * *")
    assert planner.schedule("g").cron == "0 9 * * *"


def test_a_function_s_own_schedule_is_neither_redefined_nor_deleted_by_others(planner):
    planner.publish("g", schedule="0 9 * * *")

    assert planner.change("g", cron="* * * * *", paused="1") == "DECLARED"
    assert planner.connection.run(schedule_commands.delete_schedule("g")) == "DECLARED"
    assert planner.schedule("g").cron == "0 9 * * *"
    assert not planner.schedule("g").is_paused


def test_deleting_leaves_nothing(planner):
    planner.create()
    tick(planner, due(planner), moments=[1_000], shape=ScheduleTarget())

    assert planner.connection.run(schedule_commands.delete_schedule("sch-1")) == "DELETED"

    names = [planner.key(name, "sch-1") for name in ("schedule", "skips", "schedules")]
    assert planner.command("EXISTS", *names, planner.key("schedules_due")) == 0
