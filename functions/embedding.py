"""Turn texts into vectors with the API of an embedding model; many calls wait for it concurrently.

It works with every API that has OpenAI's `/v1/embeddings`: hosted ones, and Ollama, vLLM or
llama.cpp on your own machine. The environment variables `EMBEDDING_URL`, `EMBEDDING_MODEL` and
`EMBEDDING_KEY` set the address, the model and the API key; name them in PENSTOCK_FUNCTION_ENV.
Without them it uses Ollama on this machine.
"""

from __future__ import annotations

import functools
import os
from typing import Annotated

import httpx
from pydantic import Field

from penstock import Reject, Retry, function

OLLAMA = "http://127.0.0.1:11434/v1/embeddings"
MODEL = "nomic-embed-text"
AT_ONCE = 50
_LONGEST_SHOWN = 200


@functools.cache
def client() -> httpx.AsyncClient:
    """Return the HTTP client of this process: the first call creates it, all calls share it."""
    # @function below limits how many calls run at once, so the client needs no limit of its own.
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=AT_ONCE)
    return httpx.AsyncClient(timeout=30, limits=limits)


@function(
    timeout="45s",
    concurrency=AT_ONCE,
    rate="3000/m",
    retries={"retries": 10, "first": "1s", "on": [httpx.TransportError]},
)
async def embedding(text: Annotated[str, Field(min_length=1, max_length=100_000)]) -> list[float]:
    """Return the embedding vector of a text.

    The call is retried when the API is busy or unavailable. It fails without a retry when the API
    refuses the text.

    Args:
        text: The text to embed.

    Returns:
        The vector; its length depends on the model.
    """
    key = os.environ.get("EMBEDDING_KEY")
    answer = await client().post(
        os.environ.get("EMBEDDING_URL", OLLAMA),
        json={"model": os.environ.get("EMBEDDING_MODEL", MODEL), "input": text},
        headers={"Authorization": f"Bearer {key}"} if key else {},
    )
    if answer.status_code == httpx.codes.TOO_MANY_REQUESTS or answer.is_server_error:
        raise Retry(f"the API answered {answer.status_code}", after=_asked_pause(answer))
    if answer.is_error:
        raise Reject(f"the API answered {answer.status_code}: {answer.text[:_LONGEST_SHOWN]}")
    vector: list[float] = answer.json()["data"][0]["embedding"]
    return vector


def _asked_pause(answer: httpx.Response) -> float | None:
    """Return the seconds in the Retry-After header, None if it has no number of seconds."""
    said = answer.headers.get("Retry-After", "")
    return float(said) if said.isascii() and said.isdecimal() else None
