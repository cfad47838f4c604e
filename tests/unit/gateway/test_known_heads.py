"""A head is known by every byte of it, and only with the body it announces."""

from __future__ import annotations

import asyncio

import pytest

from gateway.serving.beginning import Beginnings
from gateway.serving.exchange import Exchange
from gateway.serving.known_heads import KnownHeads

HEAD = b"POST /f HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\n\r\n"


def exchange(*, take=bool, length: bytes = b"3", body: bytes = b"abc") -> Exchange:
    scope = {"method": "POST", "headers": [(b"host", b"x"), (b"content-length", length)]}
    made = Exchange(scope, Deaf(), keep_alive=True, take=take)
    made.feed_whole(body)
    return made


@pytest.fixture
def heads() -> KnownHeads:
    return KnownHeads(lambda _: None)


def test_what_was_learnt_is_recalled_with_another_body(heads: KnownHeads):
    heads.learn(HEAD + b"abc", [exchange()])

    found = heads.recall(HEAD + b"xyz")

    assert found is not None
    assert (found[0].keep_alive, found[1]) == (True, b"xyz")


@pytest.mark.parametrize(
    "data",
    [
        HEAD + b"ab",
        HEAD + b"abcd",
        HEAD,
        HEAD[:-2],
        b"\r\n" + HEAD + b"abc",
        HEAD.replace(b"host", b"Host") + b"abc",
        b"",
    ],
)
def test_what_differs_by_a_byte_is_not_known(heads: KnownHeads, data: bytes):
    heads.learn(HEAD + b"abc", [exchange()])

    assert heads.recall(data) is None


def test_only_one_whole_request_that_may_be_taken_is_learnt(heads: KnownHeads):
    late = exchange()
    late.body_complete = False
    long_head = HEAD.replace(b"host: x", b"host: " + b"x" * 3000)

    for data, exchanges in [
        (HEAD + b"abc", []),
        (HEAD + b"abc", [exchange(), exchange()]),
        (HEAD + b"abc", [exchange(take=None)]),
        (HEAD + b"abc", [late]),
        (HEAD + b"abc", [exchange(length=b"2")]),
        (long_head + b"abc", [exchange()]),
    ]:
        heads.learn(data, exchanges)

        assert heads.recall(data) is None


def test_strange_heads_do_not_fill_the_memory(heads: KnownHeads):
    for number in range(2000):
        heads.learn(HEAD.replace(b"/f", b"/%d" % number) + b"abc", [exchange()])

    assert len(heads._by_bytes) <= 512


def test_what_the_application_notes_of_a_request_is_not_in_the_head_others_share():
    seen: list[dict[str, object]] = []

    async def application(scope: dict[str, object], *_: object) -> None:
        scope["penstock.body"] = b"mine"
        seen.append(scope)

    async def scenario() -> Exchange:
        beginnings = Beginnings(
            Deaf(),
            application=application,
            app_state={},
            tasks=set(),
            heads=None,
            most_held_bytes=10,
        )
        refused = exchange(take=lambda _: False)
        shared = refused.scope
        beginnings.begin(refused)
        assert refused.task is not None
        await refused.task
        refused.scope = shared
        return refused

    shared = asyncio.run(scenario()).scope

    assert seen[0]["headers"] == shared["headers"]
    assert "penstock.body" not in shared


class Deaf:
    """A connection whose client takes nothing."""

    def write(self, data: bytes) -> None:
        """Nobody reads it."""

    def own_headers(self) -> bytes:
        return b""

    async def writable(self) -> None:
        """It never is too much."""

    def wants_body(self) -> None:
        """There is none."""

    def finished(self, exchange: Exchange) -> None:
        """Nobody waits for it."""

    def serve(self, exchange: Exchange) -> None:
        """It is not handed over."""
