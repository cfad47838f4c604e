"""What functions tell while they run, seen by who follows them: the whole way."""

from __future__ import annotations

from tests.support.event_stream import follow, streaming
from tests.support.monitoring import monitored
from tests.support.system import System
from tests.support.waiting import eventually

OUTPUT_PATIENCE_MS = 50  # output of what ends sooner is written with its ending


def begin_telling(system: System, function: str, **arguments) -> str:
    answer = system.call(function, **arguments)
    assert answer.status_code == 202, answer.text
    invocation_id: str = answer.json()["id"]
    return invocation_id


def test_items_arrive_before_the_end_and_are_the_result(system: System, tmp_path):
    go_on = tmp_path / "go_on"
    invocation_id = begin_telling(system, "count_up", to=3, until=str(go_on))

    with streaming(system.http, invocation_id) as events:
        early = []
        while [e.value for e in early if e.name == "item"] != [0, 1]:
            early.append(next(events))
        status = system.invocation(invocation_id)["status"]
        go_on.touch()
        late = list(events)

    assert status == "running"
    assert [e.value for e in late if e.name == "item"] == [2]
    assert late[-1].value["result"] == [0, 1, 2]


def test_all_that_a_function_tells_is_followed_and_replayed_in_its_order(system: System):
    invocation_id = begin_telling(system, "count_up", to=4, pause_s=0.01)

    live = follow(system.http, invocation_id)

    reported = [(e.name, e.value) for e in live if e.name not in ("status", "end")]
    in_turn = [
        note
        for number in range(4)
        for note in (
            ("log", f"number {number}\n"),
            ("progress", {"done": number + 1, "total": 4, "message": str(number)}),
            ("item", number),
            ("event", {"said": number}),
        )
    ]
    # Of progress nobody has heard of yet, the last is enough.
    assert [note for note in reported if note[0] != "progress"] == [
        note for note in in_turn if note[0] != "progress"
    ]
    assert [note for note in in_turn if note in reported] == reported
    assert [note for note in reported if note[0] == "progress"][-1] == in_turn[-3]
    assert follow(system.http, invocation_id) == live
    assert system.invocation(invocation_id)["progress"]["done"] == 4


def test_progress_shows_in_the_invocation_while_it_runs(system: System, tmp_path):
    go_on = tmp_path / "go_on"
    invocation_id = begin_telling(system, "count_up", to=2, until=str(go_on))

    shown = eventually(lambda: system.invocation(invocation_id)["progress"])

    assert shown == {"done": 1, "total": 2, "message": "0"}
    go_on.touch()
    system.finished(invocation_id)


def test_async_generators_stream_too(system: System):
    events = follow(system.http, begin_telling(system, "count_up_slowly"))

    assert [e.value for e in events if e.name == "item"] == [{"number": n} for n in range(3)]
    assert events[-1].value["result"] == [{"number": n} for n in range(3)]


def test_every_attempt_s_output_is_told(system: System):
    invocation_id = begin_telling(system, "stumble")

    live = follow(system.http, invocation_id)

    assert [e.value for e in live if e.name == "log"] == ["attempt 1\n", "attempt 2\n"]
    assert [e.value["status"] for e in live if e.name == "status"] == [
        *("queued", "running", "retrying", "running", "succeeded")
    ]
    assert follow(system.http, invocation_id) == live


def test_functions_that_print_a_little_cost_no_round_trip_and_can_be_replayed(system: System):
    system.call("say", text="warm", wait_s=10)

    with monitored(str(system.redis_socket)) as monitor:
        ended = [system.call("say", text=f"n{n}", wait_s=10).json() for n in range(20)]

    ids = [invocation["id"] for invocation in ended]
    lasted_longer = [i for i in ended if i["duration_ms"] >= OUTPUT_PATIENCE_MS]
    assert monitor.seen["append_events"] <= len(lasted_longer)
    assert monitor.seen["settle_invocations"] <= 20
    reported = [follow(system.http, invocation_id)[2] for invocation_id in ids]
    assert [(e.name, e.value) for e in reported] == [("log", f"n{n}\n") for n in range(20)]
