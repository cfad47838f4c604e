"""FastAPI before Taskiq, all of it asynchronous; the result is asked for every 5 ms."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import Body, FastAPI
from fastapi.responses import ORJSONResponse
from work import broker, burn, carry, nap, noop

WORK = {"noop": noop, "burn": burn, "nap": nap, "carry": carry}
Arguments = Annotated[dict[str, Any], Body()]


@asynccontextmanager
async def life(_: FastAPI) -> AsyncIterator[None]:
    """Connect and disconnect the broker."""
    await broker.startup()
    yield
    await broker.shutdown()


app = FastAPI(lifespan=life)


@app.post("/accept/{name}")
async def accept(name: str, arguments: Arguments) -> Any:
    """Queue a call."""
    call = await WORK[name].kiq(**arguments)
    return ORJSONResponse({"id": call.task_id}, 202)


@app.post("/wait/{name}")
async def wait(name: str, arguments: Arguments) -> Any:
    """Queue a call and wait for its result."""
    call = await WORK[name].kiq(**arguments)
    answer = await call.wait_result(check_interval=0.005, timeout=30)
    answer.raise_for_error()
    return ORJSONResponse({"result": answer.return_value})
