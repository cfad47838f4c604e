"""Turn texts into vectors by a model's API; many calls wait for it at the same time.

Speaks to every API with OpenAI's `/v1/embeddings`: hosted ones, and Ollama, vLLM or llama.cpp on a
machine of your own. `EMBEDDING_URL`, `EMBEDDING_MODEL` and `EMBEDDING_KEY` in the environment (and
named in PENSTOCK_FUNCTION_ENV) say where, which and as whom; without them it is Ollama's here.
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
    """Return the one client of this process: the first call makes it, all others share it."""
    # How many calls run at once, @function says below: the client need not count them as well.
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=AT_ONCE)
    return httpx.AsyncClient(timeout=30, limits=limits)


@function(
    timeout="45s",
    concurrency=AT_ONCE,
    rate="3000/m",
    retries={"retries": 10, "first": "1s", "on": [httpx.TransportError]},
)
async def embedding(text: Annotated[str, Field(min_length=1, max_length=100_000)]) -> list[float]:
    """Return the vector of a text.

    Waits and tries again when the API is busy or away. A text that the API refuses is rejected.

    Args:
        text: What to turn into a vector.

    Returns:
        The vector, as long as the model makes it.
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
    """Return the seconds after which the API wants to be asked again, if it says so in seconds."""
    said = answer.headers.get("Retry-After", "")
    return float(said) if said.isascii() and said.isdecimal() else None
