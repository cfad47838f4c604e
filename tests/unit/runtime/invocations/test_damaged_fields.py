"""A record with a damaged field can be shown, and no list is lost with it; no secret is told."""

from __future__ import annotations

import json

import pytest

from runtime.invocations.record import record_from_hash
from runtime.invocations.view import invocation_json

WHOLE = {
    b"function": b"f",
    b"status": b"failed",
    b"attempt": b"2",
    b"started_at": b"5",
    b"arguments": b'{"password":"hush","n":1}',
    b"secrets": b'[["password"]]',
    b"request": b'{"method":"POST","path":"/","headers":{},"query":{},"body":""}',
    b"attempts": b'{"attempt":1,"started_at_ms":1,"finished_at_ms":2}',
}


@pytest.mark.parametrize(
    ("field", "damaged", "member", "shown"),
    [
        (b"secrets", b"[[", "arguments", {}),
        (b"secrets", b'{"password":1}', "arguments", {}),
        (b"arguments", b'{"password":"hush', "arguments", {}),
        (b"request", b"{", "request", None),
        (b"request", b"{}", "request", None),
        (b"request", b'"POST"', "request", None),
    ],
)
def test_it_is_as_if_it_were_not_there(field: bytes, damaged: bytes, member: str, shown: object):
    view = view_with(field, damaged)

    assert view[member] == shown
    assert "hush" not in json.dumps(view)


@pytest.mark.parametrize("damaged", [b"{", b"1", b"\xff"])
def test_of_the_attempts_the_last_is_left(damaged: bytes):
    assert [one["attempt"] for one in view_with(b"attempts", damaged)["attempts"]] == [2]


def view_with(field: bytes, damaged: bytes):
    flat = [word for pair in {**WHOLE, field: damaged}.items() for word in pair]
    return json.loads(invocation_json(record_from_hash("0192", flat)))
