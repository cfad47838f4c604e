"""Asking a model's API: at the same time, over one client, and what its refusals become."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import TypeVar

import pytest

from functions.embedding import AT_ONCE, client, embedding
from penstock import Reject, Retry
from runtime.sdk.decorator import declaration_of
from tests.support.embedding_api import EmbeddingApi, embedding_api, vector_of

T = TypeVar("T")


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[EmbeddingApi]:
    for name in ("EMBEDDING_MODEL", "EMBEDDING_KEY"):
        monkeypatch.delenv(name, raising=False)
    with embedding_api(pause_s=0.05) as running:
        monkeypatch.setenv("EMBEDDING_URL", running.url)
        yield running


def run_in_one_loop(work: Callable[[], Awaitable[T]]) -> T:
    """Run in a process's one loop: the client is made there, and ends with it."""

    async def whole() -> T:
        client.cache_clear()
        try:
            return await work()
        finally:
            await client().aclose()

    return asyncio.run(whole())


def test_calls_wait_for_the_api_at_the_same_time_and_share_connections(api: EmbeddingApi) -> None:
    texts = [f"text {number}" for number in range(60)]

    async def twice() -> list[list[float]]:
        first = await asyncio.gather(*map(embedding, texts[:30]))
        return first + await asyncio.gather(*map(embedding, texts[30:]))

    vectors = run_in_one_loop(twice)

    assert vectors == [vector_of(text) for text in texts]
    assert api.peak == api.connections == 30


def test_the_key_is_shown_and_not_needed(
    api: EmbeddingApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_in_one_loop(lambda: embedding("open"))
    assert "authorization" not in api.headers

    monkeypatch.setenv("EMBEDDING_KEY", "k-1")
    run_in_one_loop(lambda: embedding("keyed"))

    assert api.headers["authorization"] == "Bearer k-1"


def test_a_busy_api_is_asked_again_when_it_says(api: EmbeddingApi) -> None:
    with pytest.raises(Retry, match="429") as busy:
        run_in_one_loop(lambda: embedding("busy"))
    with pytest.raises(Retry, match="500") as broken:
        run_in_one_loop(lambda: embedding("broken"))

    assert busy.value.after_s == 1
    assert broken.value.after_s is None
    assert run_in_one_loop(lambda: embedding("busy")) == vector_of("busy")


def test_what_the_api_refuses_is_rejected_with_its_words(api: EmbeddingApi) -> None:
    with pytest.raises(Reject, match=r"400: .*no such language"):
        run_in_one_loop(lambda: embedding("refused"))


def test_an_api_that_is_away_is_tried_again_and_no_other_fault_is() -> None:
    said = declaration_of(embedding)

    assert said is not None
    assert said.options.retry.on == ("httpx.TransportError",)
    assert said.options.concurrency == AT_ONCE
