"""What is written from a template is what the invocation's own view would be."""

from __future__ import annotations

import pytest

from gateway.ended import EndedWriter
from runtime.errors import StoreError
from runtime.invocations.identifiers import new_invocation_id
from runtime.invocations.record import record_from_notice
from runtime.invocations.view import invocation_json
from runtime.store.packing import pack

USUAL = {
    "function": "f",
    "queue": "default",
    "created_at": 1763812345678,
    "status": "succeeded",
    "version": "v1",
    "waiters": "g",
    "worker": "w-1",
    "started_at": 1763812345999,
    "attempt": 1,
    "token": 1,
    "finished_at": 1763812346001,
    "result": '{"n":[1,"%b"]}',
}


def notice(**changed: str | int | None) -> bytes:
    fields = {name: value for name, value in {**USUAL, **changed}.items() if value is not None}
    words = [word for pair in fields.items() for word in pair]
    return f"{new_invocation_id()}\n".encode() + pack(words)


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"function": "f2000", "version": "4000", "queue": "100%"},
        {"worker": 'a "quoted" name'},
        {"started_at": 1763812345000, "created_at": 1763812345678},
        {"token": None, "waiters": None},
        {"result": "2000"},
        {"caller": "me", "priority": 7, "key": "k"},
        {"caller": "team_a.web", "traceparent": "00-1", "tracestate": "a=b"},
    ],
)
def test_a_usual_end_is_written_as_its_view(changed: dict[str, str | int | None]):
    writer = EndedWriter()
    for arguments in (b"{}", b'{"at":"1970-01-01T00:00:01.000Z","id":"@penstock-id@"}'):
        told = notice(**changed)

        written = writer.write(told, arguments)

        assert written == invocation_json(record_from_notice(told, arguments))


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
def test_every_other_end_is_left_to_the_view(changed: dict[str, str | int | None]):
    writer = EndedWriter()

    assert writer.write(notice(), b"{}") is not None
    assert writer.write(notice(**changed), b"{}") is None


def test_a_broken_notice_spoils_no_other():
    writer = EndedWriter()
    whole = notice()
    for broken in (b"", b"nonsense", whole[:-5], whole + b"$1"):
        with pytest.raises(StoreError):
            writer.write(broken, b"{}")

        assert writer.write(whole, b"{}") is not None
