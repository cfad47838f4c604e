"""FastAPI before Celery.

Queueing a call blocks for less than handing it to a thread would cost, so `accept` does it
on the event loop. Waiting blocks for long, so FastAPI runs `wait` in its threads; it is
Celery's own way: `get`, which hears of the end by Redis publish/subscribe.
"""

from __future__ import annotations

from typing import Annotated, Any

import orjson
from fastapi import Body, FastAPI, Response
from work import burn, carry, nap, noop

WORK = {"noop": noop, "burn": burn, "nap": nap, "carry": carry}
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
