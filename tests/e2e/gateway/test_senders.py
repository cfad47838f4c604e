"""Requests as senders of other systems make them: what they mean is taken."""

from __future__ import annotations

import gzip
import zlib

import pytest

from tests.support.collecting import COLLECT

JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize("shown", ["Bearer eyJ.x.y", "bearer x", "Basic dTpw", "Digest x=y", "x"])
def test_a_credential_for_somebody_else_is_no_key_where_none_is_needed(arguments_of, shown: str):
    assert arguments_of("greet", json={"name": "a"}, headers={"Authorization": shown}) == {
        "name": "a"
    }


@pytest.mark.parametrize(
    "media_type",
    [
        "application/cloudevents+json",
        "Application/LD+JSON; charset=utf-8",
        "application/vnd.x+json",
    ],
)
def test_a_media_type_that_ends_as_json_is_json(arguments_of, media_type: str):
    sent = {"content": b'{"count": 3}', "headers": {"Content-Type": media_type}}

    assert arguments_of(**sent) == {"count": 3}


def test_a_batch_may_say_json_by_suffix(gateway, http):
    gateway.publish(COLLECT)
    answer = http.post(
        "/functions/collect/batch",
        content=b"[{}]",
        headers={"Content-Type": "application/vnd.x+json"},
    )

    assert answer.status_code == 202
    gateway.finish(gateway.claim())


@pytest.mark.parametrize(
    ("coding", "compress"), [("gzip", gzip.compress), ("deflate", zlib.compress), ("br", bytes)]
)
@pytest.mark.parametrize(
    "path", ["/functions/greet", "/functions/greet/batch", "/session", "/keys"]
)
def test_a_compressed_body_is_refused_by_name(http, path: str, coding: str, compress):
    body = compress(b'{"name": "Ada"}')

    answer = http.post(path, content=body, headers={**JSON, "Content-Encoding": coding})

    assert answer.status_code == 415
    assert answer.json()["code"] == "unsupported_media_type"
    assert f"Content-Encoding '{coding}'" in answer.json()["detail"]
    assert answer.headers["Accept-Encoding"] == "identity"


def test_the_coding_that_changes_nothing_is_fine(arguments_of):
    headers = {**JSON, "Content-Encoding": "Identity"}

    assert arguments_of(content=b'{"count": 1}', headers=headers) == {"count": 1}


@pytest.mark.parametrize(
    "request_line", [b"GET /livez", b"GET /functions", b"POST /functions/greet"]
)
@pytest.mark.parametrize("asks", [b"keep-alive", b"Keep-Alive"])
def test_http_1_0_is_told_that_its_connection_stays(gateway, request_line: bytes, asks: bytes):
    body = b'{"name":"Ada"}' if request_line.startswith(b"POST") else b""
    request = (
        b"%b HTTP/1.0\r\nHost: localhost\r\nConnection: %b\r\nContent-Type: application/json\r\n"
        b"Content-Length: %d\r\n\r\n%b" % (request_line, asks, len(body), body)
    )
    answers = []
    with gateway.connect() as sock:
        for _ in range(3):
            sock.sendall(request)
            answers.append(sock.recv(2**20))

    assert all(b"\r\nconnection: keep-alive\r\n" in answer for answer in answers)
    assert all(b"\r\ncontent-length: " in answer for answer in answers)
    for _ in answers if body else ():
        gateway.finish(gateway.claim())


@pytest.mark.parametrize("version", [b"1.0", b"1.1"])
def test_who_asks_for_a_close_gets_it(gateway, version: bytes):
    with gateway.connect() as sock:
        sock.sendall(
            b"GET /livez HTTP/%b\r\nHost: localhost\r\nConnection: close\r\n\r\n" % version
        )
        answer = b"".join(iter(lambda: sock.recv(65_536), b""))

    assert b"\r\nconnection: close\r\n" in answer


def test_http_1_1_is_not_told_what_it_knows(http):
    assert "connection" not in http.get("/livez").headers


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("http://127.0.0.1:9/ü?é=日", "http://127.0.0.1:9/%C3%BC?%C3%A9=%E6%97%A5"),
        ("http://127.0.0.1:9/%C3%BC", "http://127.0.0.1:9/%C3%BC"),
    ],
)
def test_a_callback_address_in_utf_8_is_posted_where_it_was_meant(gateway, http, sent, kept):
    answer = http.post(
        "/functions/greet", json={"name": "a"}, headers=[(b"X-Callback-Url", sent.encode())]
    )

    assert answer.status_code == 202
    assert answer.json()["callback"]["url"] == kept
    gateway.finish(gateway.claim())


def test_a_callback_address_in_latin_1_is_refused(http):
    headers = [(b"X-Callback-Url", "http://127.0.0.1:9/ü".encode("latin-1"))]

    answer = http.post("/functions/greet", json={"name": "a"}, headers=headers)

    assert answer.status_code == 422
    assert answer.json()["code"] == "callback_url_invalid"
    assert "UTF-8" in answer.json()["detail"]
