"""FastAPI before arq, all of it asynchronous; the result is asked for again and again."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

import orjson
from arq.connections import ArqRedis, create_pool
from arq.jobs import Job
from fastapi import Body, FastAPI, Request, Response
from work import SETTINGS

ASKS_EVERY_S = int(os.environ["BENCH_ASKS_EVERY_MS"]) / 1000  # noqa: TID251
Arguments = Annotated[dict[str, Any], Body()]


@asynccontextmanager
async def life(app: FastAPI) -> AsyncIterator[None]:
    """Connect and disconnect."""
    app.state.queue = await create_pool(
        SETTINGS, job_serializer=orjson.dumps, job_deserializer=orjson.loads
    )
    yield
    await app.state.queue.aclose()


app = FastAPI(lifespan=life)


def answer(status: int, **members: Any) -> Response:
    """Answer with JSON in the fastest way FastAPI has."""
    return Response(orjson.dumps(members), status, media_type="application/json")


async def queue(request: Request, name: str, arguments: dict[str, Any]) -> Job:
    """Queue a call."""
    pool: ArqRedis = request.app.state.queue
    call = await pool.enqueue_job(name, **arguments)
    if call is None:
        raise RuntimeError("another call has its id")
    return call


@app.post("/accept/{name}")
async def accept(request: Request, name: str, arguments: Arguments) -> Response:
    """Queue a call."""
    call = await queue(request, name, arguments)
    return answer(202, id=call.job_id)


@app.post("/wait/{name}")
async def wait(request: Request, name: str, arguments: Arguments) -> Response:
    """Queue a call and wait for its result."""
    call = await queue(request, name, arguments)
    return answer(200, result=await call.result(timeout=30, poll_delay=ASKS_EVERY_S))
