"""FastAPI before Taskiq, all of it asynchronous; the result is asked for again and again."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

import orjson
from fastapi import Body, FastAPI, Response
from work import broker, burn, carry, nap, noop, sleep_1s, sleep_100ms

ASKS_EVERY_S = int(os.environ["BENCH_ASKS_EVERY_MS"]) / 1000  # noqa: TID251
WORK = {
    "noop": noop,
    "burn": burn,
    "nap": nap,
    "sleep_100ms": sleep_100ms,
    "sleep_1s": sleep_1s,
    "carry": carry,
}
Arguments = Annotated[dict[str, Any], Body()]


@asynccontextmanager
async def life(_: FastAPI) -> AsyncIterator[None]:
    """Connect and disconnect the broker."""
    await broker.startup()
    yield
    await broker.shutdown()


app = FastAPI(lifespan=life)


def answer(status: int, **members: Any) -> Response:
    """Answer with JSON in the fastest way FastAPI has."""
    return Response(orjson.dumps(members), status, media_type="application/json")


@app.post("/accept/{name}")
async def accept(name: str, arguments: Arguments) -> Response:
    """Queue a call."""
    call = await WORK[name].kiq(**arguments)
    return answer(202, id=call.task_id)


@app.post("/wait/{name}")
async def wait(name: str, arguments: Arguments) -> Response:
    """Queue a call and wait for its result."""
    call = await WORK[name].kiq(**arguments)
    ending = await call.wait_result(check_interval=ASKS_EVERY_S, timeout=30)
    ending.raise_for_error()
    return answer(200, result=ending.return_value)
