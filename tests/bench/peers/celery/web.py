"""FastAPI before Celery.

Queueing a call blocks for less than handing it to a thread would cost, so `accept` does it
on the event loop. Waiting blocks for long, so FastAPI runs `wait` in its threads; it is
Celery's own way: `get`, which hears of the end by Redis publish/subscribe.

Beneath /keyed a call shows a key, which a dependency looks up in Redis. A trace and a callback's
address travel in the message's headers; an idempotency key is kept in Redis with the call's id.
"""

from __future__ import annotations

import os
import uuid
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Body, Depends, FastAPI, Header, HTTPException, Response
from redis.asyncio import Redis
from work import burn, carry, fetch, nap, noop

WORK = {"noop": noop, "burn": burn, "nap": nap, "carry": carry, "fetch": fetch}
Arguments = Annotated[dict[str, Any], Body()]
app = FastAPI()


def answer(status: int, **members: Any) -> Response:
    """Answer with JSON in the fastest way FastAPI has."""
    return Response(orjson.dumps(members), status, media_type="application/json")


@app.post("/accept/{name}")
async def accept(name: str, arguments: Arguments) -> Response:
    """Queue a call."""
    return answer(202, id=WORK[name].apply_async(kwargs=arguments).id)


@app.post("/wait/{name}")
def wait(name: str, arguments: Arguments) -> Response:
    """Queue a call and wait for its result."""
    return answer(200, result=WORK[name].apply_async(kwargs=arguments).get(timeout=30))


redis = Redis(unix_socket_path=os.environ["BENCH_REDIS_SOCKET"])  # noqa: TID251
DAY_S = 86_400


async def check_key(authorization: Annotated[str, Header()] = "") -> str:
    """Return whose key it is."""
    scheme, _, key = authorization.partition(" ")
    name = await redis.get(f"key:{key}") if scheme == "Bearer" else None
    if name is None:
        raise HTTPException(401, "unknown key")
    return str(name)


async def begin(
    name: str,
    arguments: Arguments,
    traceparent: Annotated[str | None, Header()] = None,
    x_callback_url: Annotated[str | None, Header()] = None,
    idempotency_key: Annotated[str | None, Header()] = None,
) -> str:
    """Queue a call unless its idempotency key is known; return its id."""
    call_id = str(uuid.uuid4())
    if idempotency_key is not None:
        place = f"idempotency:{idempotency_key}"
        first = await redis.set(place, call_id, nx=True, get=True, ex=DAY_S)
        if first is not None:
            return bytes(first).decode()
    reported = {"traceparent": traceparent, "callback": x_callback_url}
    headers = {key: value for key, value in reported.items() if value is not None}
    WORK[name].apply_async(kwargs=arguments, task_id=call_id, headers=headers)
    return call_id


keyed = APIRouter(prefix="/keyed", dependencies=[Depends(check_key)])


@keyed.post("/accept/{name}")
async def accept_keyed(call_id: Annotated[str, Depends(begin)]) -> Response:
    """Queue a call of a known caller."""
    return answer(202, id=call_id)


@keyed.post("/wait/{name}")
def wait_keyed(name: str, call_id: Annotated[str, Depends(begin)]) -> Response:
    """Queue a call of a known caller and wait for its result."""
    return answer(200, result=WORK[name].AsyncResult(call_id).get(timeout=30))


app.include_router(keyed)
