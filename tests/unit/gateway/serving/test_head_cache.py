"""A head is known by all its bytes or by its frame, and only with the body it announces."""

from __future__ import annotations

import asyncio
import itertools
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest
from uvicorn.config import Config
from uvicorn.server import ServerState

from gateway.serving.connection import Connection
from gateway.serving.dispatch import HeadCache
from gateway.serving.limits import ConnectionLimits
from gateway.serving.request_parser import BODY, HEADERS, RequestParser

HEAD = b"POST /f HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\n\r\n"
SCOPE = {"method": "POST", HEADERS: {b"host": b"x", b"content-length": b"3"}}


@pytest.fixture
def heads() -> HeadCache:
    return HeadCache()


def learn(heads: HeadCache, head: bytes = HEAD, *, times: int = 2) -> None:
    for _ in range(times):
        heads.learn(head + b"abc", SCOPE, keep_alive=True)


def most_bytes(add: Callable[[int], None], *counts: int) -> Iterator[int]:
    """Add so many, and then so many; yield how much memory was used at the most, each time."""
    numbers = itertools.count(10_000)
    tracemalloc.start()
    try:
        for count in counts:
            tracemalloc.reset_peak()
            for _ in range(count):
                add(next(numbers))
            yield tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_what_was_learnt_is_recalled_with_another_body(heads: HeadCache):
    learn(heads)

    begun = heads.recall(HEAD + b"xyz")

    assert begun is not None
    assert begun == (SCOPE, True, b"xyz")


def test_what_came_once_is_not_kept(heads: HeadCache):
    learn(heads, times=1)

    assert heads.recall(HEAD + b"abc") is None


@pytest.mark.parametrize(
    "data",
    [
        HEAD + b"ab",
        HEAD + b"abcd",
        HEAD,
        HEAD[:-2],
        b"\r\n" + HEAD + b"abc",
        HEAD.replace(b"/f", b"/F") + b"abc",
        HEAD.replace(b"1.1", b"1.0") + b"abc",
        HEAD.replace(b": x", b": y") + b"abc",
        HEAD.replace(b"\r\n\r\n", b"\r\nhost: x\r\n\r\n") + b"abc",
        HEAD.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n") + b"abc",
        HEAD.replace(b"content-length: 3\r\n", b"") + b"abc",
        HEAD.replace(b"content-length: 3", b"content-length: +3") + b"abc",
        HEAD.replace(b"content-length: 3", b"content-length: 3000000000") + b"abc",
        HEAD.replace(b"content-length: 3\r\n", b""),
        b"",
    ],
)
def test_what_frames_a_request_otherwise_is_not_known(heads: HeadCache, data: bytes):
    learn(heads)

    assert heads.recall(data) is None


@pytest.mark.parametrize(
    "line",
    [
        *(b"a: 1\r\nA: 2", b"a : 1", b"a:1", b"a:", b"a: ", b" a: 1", b"a: 1\r\n b: 1", b"a: 1\n"),
        *(b"a: 1 ", b"a:  1", b"a: \t1", b"a: 1\t2", b"a: \xff", b"a: \x00", b"\xff: 1", b"a"),
        *(b"Expect: 100-continue", b"Transfer-Encoding: chunked", b"Upgrade: h2c", b": 1"),
        *(b"Proxy-Connection: close", b"Content-Length: 3", b"CONTENT-LENGTH: 3", b"a: 1\rb: 2"),
        b"a: " + b"x" * 5000,
        b"\r\n".join(b"a%d: 1" % number for number in range(100)),
    ],
)
def test_a_line_that_is_not_plain_leaves_the_head_to_the_parser(heads: HeadCache, line: bytes):
    learn(heads)

    assert heads.recall(HEAD.replace(b"\r\n\r\n", b"\r\n%b\r\n\r\n" % line) + b"abc") is None


def test_a_head_that_is_very_long_is_not_remembered(heads: HeadCache):
    long_head = HEAD.replace(b"host: x", b"host: " + b"x" * 5000)
    learn(heads, long_head)

    assert heads.recall(long_head + b"abc") is None


def test_heads_that_come_once_neither_fill_the_memory_nor_drive_out_those_that_stay(
    heads: HeadCache,
):
    learn(heads)

    def add(number: int) -> None:
        learn(heads, HEAD.replace(b"/f", b"/%d" % number))
        heads.recall(HEAD.replace(b"host", b"x-any: %d\r\nhost" % number) + b"abc")
        heads.recall(HEAD.replace(b"host", b"x-any: %d\r\nhost" % (number // 2)) + b"abc")
        assert heads.recall(HEAD + b"abc") is not None

    first_bytes, later_bytes = most_bytes(add, 2_000, 4_000)

    assert later_bytes < 1.2 * first_bytes


def test_heads_that_are_never_seen_again_fill_no_memory(heads: HeadCache):
    def add(number: int) -> None:
        learn(heads, HEAD.replace(b"/f", b"/%d" % number), times=1)

    first_bytes, later_bytes = most_bytes(add, 5_000, 20_000)

    assert later_bytes < 1.2 * first_bytes


class NotingClient:
    """One connection of the server, whose application notes what it is given."""

    def __init__(self) -> None:
        self.seen: list[dict[str, Any]] = []
        self.written = b""
        self.heads = HeadCache()
        config = Config(cast("Any", self.application), access_log=False)
        config.loaded_app = cast("Any", self.application)
        self.connection = Connection(
            config, ServerState(), {}, limits=ConnectionLimits(), heads=self.heads
        )
        self.connection.connection_made(cast("Any", self))

    async def application(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        body = (await receive())["body"]
        assert scope.pop(BODY, body) == body
        self.seen.append({**scope, "body": body})
        scope["method"] = "of this request alone"
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": body})

    async def send(self, *pieces: bytes) -> None:
        for piece in pieces:
            self.connection.data_received(piece)
        for _ in range(5):
            await asyncio.sleep(0)

    def write(self, data: bytes) -> None:
        self.written += data

    def get_extra_info(self, name: str, default: object = None) -> object:  # noqa: ARG002
        return default

    def is_closing(self) -> bool:
        return False

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        """The client reads on."""

    def pause_reading(self) -> None:
        """Nothing more comes."""

    def resume_reading(self) -> None:
        """Nothing more comes."""


def test_what_the_application_notes_of_a_request_is_not_in_the_head_others_share():
    async def scenario() -> list[dict[str, Any]]:
        client = NotingClient()
        for body in (b"abc", b"xyz", b"123"):
            await client.send(HEAD + body)
        return client.seen

    seen = asyncio.run(scenario())

    assert [(one["method"], one["body"]) for one in seen] == [
        ("POST", b"abc"),
        ("POST", b"xyz"),
        ("POST", b"123"),
    ]
    assert all({**one, "body": b""} == {**seen[0], "body": b""} for one in seen)


def test_what_differs_in_a_header_that_decides_nothing_is_read_without_the_parser(
    monkeypatch: pytest.MonkeyPatch,
):
    async def scenario() -> list[dict[str, Any]]:
        client = NotingClient()
        for number in range(4):
            line = b"Idempotency-Key: order-%d\r\nhost" % number
            await client.send(HEAD.replace(b"host", line).replace(b" 3", b" 4") + b"abcd")
            if number == 1:  # parsed twice
                monkeypatch.setattr(RequestParser, "feed", lambda _, data: pytest.fail(repr(data)))
        return client.seen

    seen = asyncio.run(scenario())

    assert [one[HEADERS][b"idempotency-key"] for one in seen] == [
        b"order-%d" % number for number in range(4)
    ]
    assert [one["headers"][0] for one in seen] == [
        (b"idempotency-key", b"order-%d" % number) for number in range(4)
    ]
    assert {one["body"] for one in seen} == {b"abcd"}


@pytest.mark.parametrize(
    "pieces",
    [
        [HEAD, b"abc"],
        [HEAD + b"ab", b"c"],
        [HEAD + b"abc" + HEAD + b"xyz"],
        [HEAD.replace(b"content-length: 3", b"transfer-encoding: chunked") + b"0\r\n\r\n"],
        [HEAD.replace(b"host", b"expect: 100-continue\r\nhost") + b"abc"],
        [HEAD.replace(b"content-length: 3", b"content-length: 3, 3") + b"abc"],
        [HEAD + b"abcGET"],
    ],
)
def test_only_one_whole_request_that_came_alone_is_learnt(pieces: list[bytes]):
    async def scenario() -> list[object]:
        client = NotingClient()
        for _ in range(3):
            await client.send(*pieces)
        return [client.heads.recall(data) for data in (*pieces, b"".join(pieces), HEAD + b"abc")]

    assert set(asyncio.run(scenario())) == {None}
