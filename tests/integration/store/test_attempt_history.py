"""What many attempts leave behind: a history and output that stay small and go with the record."""

from __future__ import annotations

import json

import msgspec
import pytest

from runtime.invocations.listing import Filters, list_invocations
from runtime.invocations.output import MOST_BYTES, output_of
from runtime.invocations.view import invocation_json, invocation_view
from runtime.store.invocation_commands import cancel, read_outputs
from runtime.store.retention_commands import sweep
from tests.support.life import Life


def error(number: int, traceback: str = "t" * 600) -> bytes:
    return msgspec.json.encode(
        {"type": "exception", "message": f"no. {number}", "traceback": traceback}
    )


def attempt_once(life: Life, ending: str = "retrying", **how: object) -> None:
    life.settle(life.claim_one(), ending, **how)


def make_due(life: Life, invocation_id: str) -> None:
    life.command("ZADD", life.key("due", "default"), 1, invocation_id)


def fail_often(life: Life, times: int, **how: object) -> str:
    invocation_id = life.submit()
    for number in range(1, times + 1):
        attempt_once(life, error=error(number), retry_after_ms=3_600_000, **how)
        make_due(life, invocation_id)
    return invocation_id


def size_of(life: Life, invocation_id: str) -> int:
    names = ("record", "history", "outputs", "events")
    return sum(
        life.command("MEMORY", "USAGE", life.key(name, invocation_id), "SAMPLES", 0) or 0
        for name in names
    )


def whole_output(life: Life, invocation_id: str) -> bytes:
    entries = life.connection.run(read_outputs(invocation_id, life.connection.keys))
    return output_of(life.read(invocation_id), entries).whole


def test_a_thousand_retries_leave_a_small_record(life: Life):
    invocation_id = fail_often(life, 1_000, logs=b"try\n")
    attempt_once(life, "succeeded")

    view = invocation_view(life.read(invocation_id))
    numbers = [entry["attempt"] for entry in view["attempts"]]
    traced = [e["attempt"] for e in view["attempts"] if e["error"] and e["error"]["traceback"]]

    assert numbers == [1, 2, 3, 4, 5, *range(981, 1_002)]
    assert traced == [998, 999, 1_000]
    assert view["attempts"][0]["error"]["message"] == "no. 1"
    assert view["attempts"][-1]["outcome"] == "succeeded"
    assert size_of(life, invocation_id) < 64 * 1024


@pytest.mark.parametrize("text", ["x", "ü", "💡", '"\\\n', "\x01"])
def test_no_text_however_long_makes_a_record_large_or_broken(life: Life, text: str):
    invocation_id = life.submit()
    for _ in range(40):
        long = {"type": "exception", "message": text * 8_000, "traceback": text * 16_000}
        attempt_once(life, error=msgspec.json.encode(long), retry_after_ms=3_600_000)
        make_due(life, invocation_id)

    life.claim_one()

    attempts = json.loads(invocation_json(life.read(invocation_id)))["attempts"]
    assert len(attempts) == 26
    history = life.key("history", invocation_id)
    assert life.command("MEMORY", "USAGE", history, "SAMPLES", 0) < 64 * 1024
    for attempt in attempts[:-1]:
        assert attempt["error"]["message"].startswith(text)


def test_what_a_retry_writes_is_the_same_at_any_number(life: Life):
    life.command("CONFIG", "SET", "appendonly", "yes")

    def written() -> int:
        text = life.command("INFO", "persistence").decode()
        [line] = [one for one in text.splitlines() if one.startswith("aof_current_size:")]
        return int(line.partition(":")[2])

    invocation_id = life.submit()
    costs = []
    for number in range(1, 201):
        before = written()
        attempt_once(life, error=error(1), retry_after_ms=3_600_000, logs=b"x" * 100)
        make_due(life, invocation_id)
        if number % 50 == 0:
            costs.append(written() - before)
    life.command("CONFIG", "SET", "appendonly", "no")

    assert max(costs) < 1.2 * min(costs)
    assert max(costs) < 6_000


def test_a_page_of_much_retried_calls_is_small(life: Life):
    for _ in range(50):
        invocation_id = fail_often(life, 26)
        attempt_once(life, "failed", error=error(27), logs=b"l" * 60_000)
        assert life.read(invocation_id).earlier_attempts

    page = life.connection.run(list_invocations(Filters(), most=50))

    assert len(page.records) == 50
    assert sum(len(invocation_json(record)) for record in page.records) < 1_000_000
    assert all(len(record.logs) < 20_000 for record in page.records)


@pytest.mark.parametrize("field", ["progress", "error", "arguments", "result", "anything"])
def test_a_list_leaves_out_whatever_is_long(life: Life, field: str):
    invocation_id = life.submit(**{field: b'"' + b"x" * 30_000 + b'"'})

    [record] = life.connection.run(list_invocations(Filters(), most=5)).records

    assert record.id == invocation_id
    assert len(invocation_json(record)) < 2_000
    assert field in record.omitted
    if field != "anything":
        assert invocation_view(record)[f"{field}_omitted"] is True


def test_the_output_of_every_attempt_is_kept(life: Life):
    invocation_id = life.submit()
    attempt_once(life, logs=b"one\n", error=error(1))
    make_due(life, invocation_id)
    attempt_once(life, "lost", logs=b"two")
    attempt_once(life, error=error(3))
    make_due(life, invocation_id)
    attempt_once(life, "succeeded", logs=b"four\n")

    assert whole_output(life, invocation_id) == (
        b"=== attempt 1 ===\none\n=== attempt 2 ===\ntwo\n=== attempt 4 ===\nfour\n"
    )


def test_the_output_of_all_attempts_is_bounded(life: Life):
    invocation_id = life.submit()
    for number in range(1, 31):
        text = b"%d\n" % number + "ä".encode() * 30_000
        attempt_once(life, logs=text, error=error(number), retry_after_ms=3_600_000)
        make_due(life, invocation_id)
    attempt_once(life, "failed", logs=b"the last\n")

    whole = whole_output(life, invocation_id)
    whole.decode()
    assert len(whole) < MOST_BYTES + 200
    assert whole.startswith(b"[output of earlier attempts left out")
    assert whole.endswith(b"=== attempt 31 ===\nthe last\n")
    assert size_of(life, invocation_id) < 3 * MOST_BYTES


@pytest.mark.parametrize("ending", ["succeeded", "failed", "cancelled", "waiting"])
def test_history_and_output_go_with_the_record(life: Life, ending: str):
    invocation_id = fail_often(life, 2, logs=b"said\n")
    if ending == "waiting":
        life.connection.run(cancel(invocation_id))
    else:
        attempt_once(life, ending)
    lives = [life.command("PTTL", life.key(n, invocation_id)) for n in ("record", "history")]
    reported = life.command("PTTL", life.key("outputs", invocation_id))
    life.command("ZADD", life.key("retention"), 1, invocation_id)

    assert life.connection.run(sweep()).count == 1

    assert abs(lives[0] - lives[1]) < 1_000
    assert abs(lives[0] - reported) < 1_000
    for name in ("record", "history", "outputs"):
        assert life.command("EXISTS", life.key(name, invocation_id)) == 0
