"""Callbacks in the form of OpenFaaS, for every way in which an invocation can end."""

from __future__ import annotations

import msgspec
import pytest

from runtime.callbacks.openfaas_payload import build_callback
from runtime.invocations.record import Record
from runtime.invocations.status import Status
from runtime.sdk.response import encode_response


def record(**fields: object) -> Record:
    return Record(
        **{
            "id": "0192",
            "function": "f",
            "version": "v",
            "queue": "default",
            "status": Status.SUCCEEDED,
            "created_at_ms": 1_000,
            "started_at_ms": 2_000,
            "finished_at_ms": 2_345,
            "callback_as": "f.openfaas-fn",
            **fields,
        }
    )


def failed(kind: str, message: str = "why") -> Record:
    error = msgspec.json.encode({"type": kind, "message": message})
    return record(status=Status.FAILED, error=error)


def test_the_headers_of_every_callback():
    headers = build_callback(record(result=b"1")).headers

    assert headers["X-Call-Id"] == "0192"
    assert headers["X-Function-Name"] == "f.openfaas-fn"
    assert headers["X-Start-Time"] == "1000000000"
    assert headers["X-Duration-Seconds"] == "0.345000"
    assert build_callback(record(result=b"1", call_id="mine")).headers["X-Call-Id"] == "mine"


@pytest.mark.parametrize(
    ("fields", "status", "media_type", "body"),
    [
        ({"result": b'"say \\"hi\\""'}, "200", "text/plain; charset=utf-8", b'say "hi"'),
        ({"result": b'{"a": 1}'}, "200", "application/json", b'{"a": 1}'),
        ({"result": b"null"}, "200", "application/json", b"null"),
        (
            {"result": b"\xff", "result_type": "bytes", "result_media_type": "image/png"},
            *("200", "image/png", b"\xff"),
        ),
        (
            {
                "result": encode_response(
                    418, (("Content-Type", "text/x"), ("Set-Cookie", "a=1")), b"tea"
                ),
                "result_type": "response",
            },
            *("418", "text/x", b"tea"),
        ),
    ],
)
def test_the_body_is_the_functions_own(fields: dict, status: str, media_type: str, body: bytes):
    callback = build_callback(record(**fields))

    assert callback.body == body
    assert callback.headers["Content-Type"] == media_type
    assert callback.headers["X-Function-Status"] == status
    assert "Set-Cookie" not in callback.headers


@pytest.mark.parametrize(
    ("ended", "status", "body"),
    [
        (failed("exception"), "500", b"why\n"),
        (failed("timeout"), "504", b"why\n"),
        (failed("rejected"), "422", b"why\n"),
        (failed("worker_lost"), "503", b""),
        (record(status=Status.FAILED, error=b"{broken"), "503", b""),
        (record(status=Status.FAILED, error=b"[1]"), "503", b""),
        (record(status=Status.CANCELLED), "503", b""),
        (record(status=Status.EXPIRED, started_at_ms=None), "503", b""),
        (record(result=b"rubbish", result_type="response"), "503", b""),
    ],
)
def test_a_call_that_did_not_succeed(ended: Record, status: str, body: bytes):
    callback = build_callback(ended)
    assert (callback.headers["X-Function-Status"], callback.body) == (status, body)
