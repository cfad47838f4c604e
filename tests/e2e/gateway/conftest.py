"""A gateway with a few functions published; no code of theirs exists anywhere."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from runtime.registry.manifest import FileError, Manifest
from runtime.store.invocation_commands import heartbeat, retire_worker
from tests.support.batch_rows import ROWS, claim_rows
from tests.support.collecting import arguments_reader
from tests.support.gateway_process import RunningGateway, running_gateway
from tests.support.redis_server import own_redis
from tests.support.speaker import Speaker

BASE64 = {"type": "string", "contentEncoding": "base64"}
GREET = Manifest(
    name="greet",
    version="aaaaaaaaaaaa",
    file="greet.py",
    summary="Greet somebody",
    parameters={
        "type": "object",
        "properties": {"name": {"type": "string"}, "times": {"type": "integer", "default": 1}},
        "required": ["name"],
        "additionalProperties": False,
    },
    returns={"type": "string"},
)
SHRINK = Manifest(
    name="pictures.shrink",
    version="bbbbbbbbbbbb",
    file="pictures/shrink.py",
    parameters={
        "type": "object",
        "properties": {
            "image": BASE64,
            "width": {"type": "integer", "default": 320},
            "title": {"type": "string", "default": ""},
        },
        "required": ["image"],
        "additionalProperties": False,
    },
    returns=BASE64,
    bytes_parameters=("image",),
    raw_parameter="image",
    returns_bytes=True,
    result_media_type="image/png",
)
HOOK = Manifest(
    name="hook",
    version="cccccccccccc",
    file="hook.py",
    parameters={"type": "object", "properties": {}, "additionalProperties": False},
    injected={"request": "request"},
)
BROKEN = Manifest(
    name="broken",
    version="",
    file="broken.py",
    error=FileError(type="SyntaxError", message="invalid syntax", file="broken.py", line=3),
)
FUNCTIONS = (GREET, SHRINK, HOOK, BROKEN)


@pytest.fixture(scope="module")
def shared_gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    with (
        own_redis(tmp_path_factory.mktemp("redis")) as url,
        running_gateway(url, callback_allow_loopback=True) as gateway,
    ):
        gateway.publish(*FUNCTIONS)
        yield gateway


@pytest.fixture
def gateway(shared_gateway: RunningGateway) -> RunningGateway:
    return shared_gateway


@pytest.fixture
def http(gateway: RunningGateway) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=gateway.url, timeout=20, trust_env=False) as client:
        yield client


@pytest.fixture
def rows(gateway: RunningGateway) -> Iterator[None]:
    """The function of batches; nothing of it is left waiting."""
    gateway.publish(ROWS)
    yield
    for left in iter(lambda: claim_rows(gateway), []):
        for claimed in left:
            gateway.finish(claimed)


@pytest.fixture
def arguments_of(gateway, http):
    return arguments_reader(gateway, http)


@pytest.fixture
def speaker(gateway, http):
    http.post("/functions/greet", json={"name": "Ada"})
    return Speaker(gateway, gateway.claim())


@pytest.fixture
def beat(gateway):
    """Let a worker tell something of itself, as its heartbeat does; it retires at the end."""
    reported = set()

    def append(worker: str, details: bytes) -> None:
        reported.add(worker)
        beat = heartbeat(
            worker=worker,
            lease_ms=10_000,
            worker_ttl_ms=30_000,
            may_publish=0,
            details=details,
            held=[],
        )
        gateway.connection.run(beat)

    yield append
    for worker in reported:
        gateway.connection.run(retire_worker(worker))
