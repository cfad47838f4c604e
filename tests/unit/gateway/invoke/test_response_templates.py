"""What is written from a template is what the invocation's own view would be, for every kind."""

from __future__ import annotations

from itertools import chain, combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.invoke.response_templates import AcceptedTemplates, SucceededTemplates
from runtime.errors import StoreError
from runtime.invocations.ids import new_invocation_id
from runtime.invocations.record import new_record, record_from_notice
from runtime.invocations.submission import DEFAULT_OPTIONS, CallOptions, Submission
from runtime.invocations.view import invocation_json
from runtime.store.resp import pack
from runtime.store.submission_commands import Idempotency
from runtime.telemetry.trace_context import TraceContext

MANY, MANY_ENDS = AcceptedTemplates(), SucceededTemplates()
WISHED = [
    DEFAULT_OPTIONS,
    CallOptions(callback="https://example.com/a?b=%25&c=\u00e9"),
    CallOptions(callback='https://example.com/"quoted"\\'),
    CallOptions(priority=9, key="k"),
    CallOptions(callback="https://example.com/", tags=("a",), max_age_ms=5),
    CallOptions(delay_ms=5),
    CallOptions(run_at_ms=2),
    CallOptions(tags=("a", "b"), callback="https://example.com/"),
]
ARGUMENTS = [b"{}", b'{"a": "%b %s"}', b'{"x":"1970-01-01T00:00:01.000Z","id":"@penstock-id@"}']
NEEDED = {
    "function": "f",
    "queue": "default",
    "created_at": 1763812345678,
    "status": "succeeded",
    "version": "v1",
    "worker": "w-1",
    "started_at": 1763812345999,
    "attempt": 1,
    "finished_at": 1763812346001,
    "result": '{"n":[1,"%b"]}',
}
MORE = {
    "token": 1,
    "waiters": "g",
    "caller": "team_a.web",
    "priority": 7,
    "key": "k",
    "traceparent": "00-1",
    "tracestate": "a=b",
}
SOME_MORE = list(chain.from_iterable(combinations(MORE, count) for count in range(len(MORE) + 1)))
Value = str | int | None


def submission(**fields) -> Submission:
    usual = {"function": "f", "version": "v", "queue": "q", "arguments": b"{}"}
    return Submission(**{**usual, **fields})


def notice_of(**changed: Value) -> bytes:
    fields = {name: value for name, value in {**NEEDED, **changed}.items() if value is not None}
    words = [word for pair in fields.items() for word in pair]
    return f"{new_invocation_id()}\n".encode() + pack(words)


@given(
    caller=st.sampled_from([None, "me", "team_a.web"]),
    call_options=st.sampled_from(WISHED),
    function=st.text(min_size=1, max_size=9),
    queue=st.text(max_size=9),
    arguments=st.sampled_from(ARGUMENTS),
    created_at_ms=st.integers(0, 4_000_000_000_000),
    more=st.sampled_from(
        [
            {},
            {"request": b'{"method":"POST","path":"/f","query":"","headers":[]}'},
            {"secrets": b'[["a"]]', "arguments": b'{"a":1}'},
            {"retry_of": "x"},
            {"trace": TraceContext(traceparent="00-1", tracestate="")},
            {"idempotency": Idempotency(digest="d", body_digest="b")},
        ]
    ),
)
def test_one_accepted_is_written_as_its_view(
    function, queue, arguments, created_at_ms, caller, call_options, more
):
    fields = {"function": function, "queue": queue, "arguments": arguments, **more}
    born = submission(caller=caller, call_options=call_options, **fields)

    written = MANY.write(born, created_at_ms)

    assert written == invocation_json(new_record(born, created_at_ms))


@pytest.mark.parametrize("more", SOME_MORE, ids="+".join)
def test_one_that_succeeded_is_written_as_its_view(more: tuple[str, ...]):
    for arguments in ARGUMENTS:
        reported = notice_of(**{name: MORE[name] for name in more})

        written = MANY_ENDS.write(reported, arguments)

        assert written == invocation_json(record_from_notice(reported, arguments))


@pytest.mark.parametrize(
    "changed",
    [
        {"function": "f2000", "version": "4000", "queue": "100%"},
        {"worker": 'a "quoted" name'},
        {"started_at": 1763812345000, "created_at": 1763812345678},
        {"finished_at": 1763812345000},
        {"created_at": 1_000, "started_at": 3_000, "finished_at": 7_000},
        {"result": "2000"},
        {"caller": "me", "created_at": 0},
    ],
)
def test_odd_values_are_written_as_in_the_view(changed: dict[str, Value]):
    reported = notice_of(**changed)

    written = SucceededTemplates().write(reported, b"{}")

    assert written == invocation_json(record_from_notice(reported, b"{}"))


@pytest.mark.parametrize(
    "changed",
    [
        {"status": "failed"},
        {"attempt": 2},
        {"result_type": "bytes"},
        {"tags": '["a"]'},
        {"error": "{}"},
        {"something": "new"},
        {"result": None},
    ],
)
def test_every_other_end_is_left_to_the_view(changed: dict[str, Value]):
    writer = SucceededTemplates()

    assert writer.write(notice_of(), b"{}") is not None
    assert writer.write(notice_of(**changed), b"{}") is None


def test_a_broken_notice_spoils_no_other():
    writer = SucceededTemplates()
    whole = notice_of()
    for broken in (b"", b"nonsense", whole[:-5], whole + b"$1"):
        with pytest.raises(StoreError):
            writer.write(broken, b"{}")

        assert writer.write(whole, b"{}") is not None
