"""FastAPI before Celery.

`def` endpoints: FastAPI runs them in its threads, as Celery's client blocks. Waiting is
Celery's own way: `get`, which hears of the end by Redis publish/subscribe.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Body, FastAPI
from fastapi.responses import ORJSONResponse
from work import app as celery
from work import burn, carry, nap, noop

WORK = {"noop": noop, "burn": burn, "nap": nap, "carry": carry}
Arguments = Annotated[dict[str, Any], Body()]
app = FastAPI(default_response_class=ORJSONResponse)


@app.post("/accept/{name}", status_code=202)
def accept(name: str, arguments: Arguments) -> Any:
    """Queue a call."""
    return ORJSONResponse({"id": WORK[name].apply_async(kwargs=arguments).id}, 202)


@app.post("/wait/{name}")
def wait(name: str, arguments: Arguments) -> Any:
    """Queue a call and wait for its result."""
    return ORJSONResponse({"result": WORK[name].apply_async(kwargs=arguments).get(timeout=30)})


@app.post("/pause")
def pause() -> Any:
    """Stop taking calls from the queue."""
    return celery.control.cancel_consumer("celery", reply=True, timeout=2)


@app.post("/resume")
def resume() -> Any:
    """Take calls from the queue again."""
    return celery.control.add_consumer("celery", reply=False)
