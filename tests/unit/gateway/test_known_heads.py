"""A head is known by every byte of it, and only with the body it announces."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest
from uvicorn.config import Config
from uvicorn.server import ServerState

from gateway.serving.beginning import KnownHeads
from gateway.serving.connection import Connection
from gateway.serving.limits import Limits
from gateway.serving.parsing import HEADERS

HEAD = b"POST /f HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\n\r\n"
SCOPE = {"method": "POST", HEADERS: {b"host": b"x", b"content-length": b"3"}}


@pytest.fixture
def heads() -> KnownHeads:
    return KnownHeads()


def learn(heads: KnownHeads, head: bytes = HEAD) -> None:
    heads.learn(head + b"abc", SCOPE, keep_alive=True)


def test_what_was_learnt_is_recalled_with_another_body(heads: KnownHeads):
    learn(heads)

    found = heads.recall(HEAD + b"xyz")

    assert found is not None
    assert (found[0].scope, found[0].keep_alive, found[1]) == (SCOPE, True, b"xyz")


@pytest.mark.parametrize(
    "data",
    [
        HEAD + b"ab",
        HEAD + b"abcd",
        HEAD,
        HEAD[:-2],
        b"\r\n" + HEAD + b"abc",
        HEAD.replace(b"host", b"Host") + b"abc",
        HEAD.replace(b"\r\n\r\n", b"\r\nidempotency-key: 1\r\n\r\n") + b"abc",
        b"",
    ],
)
def test_what_differs_by_a_byte_is_not_known(heads: KnownHeads, data: bytes):
    learn(heads)

    assert heads.recall(data) is None


def test_a_head_that_is_very_long_is_not_remembered(heads: KnownHeads):
    long_head = HEAD.replace(b"host: x", b"host: " + b"x" * 5000)
    learn(heads, long_head)

    assert heads.recall(long_head + b"abc") is None


def test_heads_that_come_once_neither_fill_the_memory_nor_drive_out_those_that_stay(
    heads: KnownHeads,
):
    learn(heads)
    for number in range(3000):
        learn(heads, HEAD.replace(b"/f", b"/%d" % number))

        assert heads.recall(HEAD + b"abc") is not None
    assert len(heads._young) + len(heads._old) <= 512


class Client:
    """One connection of the server, whose application notes what it is given."""

    def __init__(self) -> None:
        self.seen: list[dict[str, Any]] = []
        self.written = b""
        self.heads = KnownHeads()
        config = Config(cast("Any", self.application), access_log=False)
        config.loaded_app = cast("Any", self.application)
        self.connection = Connection(config, ServerState(), {}, limits=Limits(), heads=self.heads)
        self.connection.connection_made(cast("Any", self))

    async def application(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        body = (await receive())["body"]
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
        client = Client()
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
    async def scenario() -> int:
        client = Client()
        await client.send(*pieces)
        return len(client.heads._young)

    assert asyncio.run(scenario()) == 0
