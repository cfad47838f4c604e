"""Many calls: batches that are submitted, and pages that are read."""

from __future__ import annotations

import pytest

from penstock.client import batch_flows
from penstock.client.batch_flows import Part
from penstock.client.errors import (
    ArgumentsInvalidError,
    FunctionFailedError,
    GoneError,
    WaitTimeoutError,
)
from penstock.client.steps import Lost
from tests.support.scripted_flow import answer, page, problem, record, script

PART = Part(id="b1", size=3, first=0)
FAILED = {"status": "failed", "error": {"type": "exception", "message": "no"}}


def accepted(batch_id: str):
    return answer({"id": batch_id, "size": 1}, 202)


def members(*statuses: str, first: int = 0, **more):
    return [
        record(status, id=str(number), result=number, **more)
        for number, status in enumerate(statuses, first)
    ]


def test_rows_go_out_in_parts_and_a_part_is_repeated_as_it_was():
    played = script(Lost(reason="reset"), accepted("b1"), accepted("b2"))
    rows = ({"number": number} for number in range(10_001))

    parts = played.run(batch_flows.submit_batch(played.caller(tags=["t"]), "shout", rows))

    assert parts == (Part(id="b1", size=10_000, first=0), Part(id="b2", size=1, first=10_000))
    assert set(played.targets) == {"/functions/shout/batch?tag=t"}
    first, again, second = (step.request for step in played.sent)
    assert first == again
    assert first.body.count(b"\n") == 9_999
    assert second.body == b'{"number":10000}'
    assert first.headers["Idempotency-Key"] != second.headers["Idempotency-Key"]


def test_a_refused_part_is_told_by_the_rows_of_all_and_with_what_was_accepted():
    fault = {"pointer": "/0/number", "detail": "is no integer"}
    refused = answer({"code": "arguments_invalid", "errors": [fault]}, 422)
    played = script(accepted("b1"), refused)
    rows = ({"number": number} for number in range(10_001))

    with pytest.raises(ArgumentsInvalidError) as caught:
        played.run(batch_flows.submit_batch(played.caller(), "shout", rows))

    assert caught.value.errors == [{**fault, "pointer": "/10000/number"}]
    assert caught.value.__notes__ == ["The first 10000 rows stay accepted, in the batches b1."]


def test_rows_that_break_off_say_what_was_accepted():
    def rows():
        yield from ({"number": number} for number in range(10_001))
        raise KeyError("price")

    played = script(accepted("b1"))

    with pytest.raises(KeyError, match="price") as caught:
        played.run(batch_flows.submit_batch(played.caller(), "shout", rows()))

    assert caught.value.__notes__ == ["The first 10000 rows stay accepted, in the batches b1."]
    assert len(played.sent) == 1


def test_no_rows_are_no_batch():
    played = script(Lost(reason="reset"))

    assert played.run(batch_flows.submit_batch(played.caller(), "shout", [])) == ()


def test_outcomes_come_in_order_and_one_that_runs_is_waited_for():
    records = members("succeeded", "running", "failed", error=FAILED["error"])
    played = script(page(records), answer(record("running")), answer(record(id="1", result=1)))

    played.run(batch_flows.in_order(played.caller(), [PART]))

    assert [(one.index, one.value) for one in played.emitted] == [(0, 0), (1, 1), (2, None)]
    assert played.emitted[0].result() == 0
    with pytest.raises(FunctionFailedError, match="no"):
        played.emitted[2].result()
    assert played.targets == ["/batches/b1?limit=100", "/invocations/1", "/invocations/1"]


def test_a_value_that_a_list_leaves_out_is_read_alone():
    short = record(id="0", result_omitted=True)
    played = script(page([short]), answer(record(id="0", result="long!")))

    played.run(batch_flows.in_order(played.caller(), [Part(id="b1", size=1, first=5)]))

    assert [(one.index, one.value) for one in played.emitted] == [(5, "long!")]


def test_pages_follow_each_other():
    first, second = members(*["succeeded"] * 100), members("succeeded", first=100)
    played = script(page(first, "c"), page(second))

    played.run(batch_flows.in_order(played.caller(), [Part(id="b1", size=101, first=0)]))

    assert [one.index for one in played.emitted] == list(range(101))
    assert played.targets == ["/batches/b1?limit=100", "/batches/b1?limit=100&cursor=c"]


def test_what_is_no_longer_kept_is_an_error():
    played = script(page(members("succeeded", "succeeded")))

    with pytest.raises(GoneError):
        played.run(batch_flows.in_order(played.caller(), [PART]))


def counts(**statuses: int):
    every = dict.fromkeys(("queued", "running", "succeeded", "failed", "cancelled", "expired"), 0)
    return answer({"counts": every | statuses})


def test_outcomes_come_as_they_end_and_only_pages_with_news_are_read():
    done, queued = ["succeeded"] * 100, ["queued"] * 100
    played = script(
        *(counts(queued=200), counts(queued=199, succeeded=1)),
        page(members(*queued[:3], "succeeded", *queued[:96]), "c"),
        counts(queued=199, succeeded=1),
        *(counts(succeeded=200), page(members(*done), "c"), page(members(*done, first=100))),
    )

    played.run(batch_flows.as_completed(played.caller(), [Part(id="b1", size=200, first=0)]))

    indexes = [one.index for one in played.emitted]
    assert indexes[0] == 3
    assert sorted(indexes) == list(range(200))
    assert [target for target in played.targets if "limit" in target] == [
        "/batches/b1?limit=100",
        "/batches/b1?limit=100",
        "/batches/b1?limit=100&cursor=c",
    ]


def test_waiting_for_a_batch_ends_with_the_timeout():
    played = script(counts(queued=3))

    with pytest.raises(WaitTimeoutError) as caught:
        played.run(batch_flows.as_completed(played.caller(timeout=5), [PART]))

    assert caught.value.id == "b1"
    assert 5 <= played.now_s < 6


def test_cancelling_passes_over_what_has_finished():
    played = script(problem("batch_finished", 409), answer({"id": "b2"}, 202))

    played.run(batch_flows.cancel(played.caller(), [PART, Part(id="b2", size=1, first=3)]))

    assert played.targets == ["/batches/b1", "/batches/b2"]


def test_counts_are_those_of_all_parts():
    played = script(counts(queued=1, failed=2))

    found = played.run(batch_flows.count(played.caller(), [PART, PART]))

    assert (found["queued"], found["failed"], found["succeeded"]) == (2, 4, 0)
