"""A new header of calls costs one place in the code: a line of one table.

The test adds such a line, for the fairness key, and sees it reach the record of a call, the members
of a batch, and what an idempotency key is unique for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import falcon.testing
import pytest

from gateway.app import create
from gateway.invoke import call_headers
from gateway.invoke.call_headers import CALL_HEADERS, CallHeader, CallHeaders
from gateway.parsing.headers import single_header
from runtime.invocations.record import read
from runtime.registry.manifest import Manifest
from runtime.registry.manifest_codec import encode_manifest
from runtime.settings import Settings
from runtime.store.blocking_connection import BlockingConnection
from runtime.store.function_commands import publish_function
from runtime.store.invocation_commands import claim

ROOT = Path(__file__).parents[2]
ANY = {"type": "object", "additionalProperties": True}
ECHO = Manifest(name="echo", version="v1", file="echo.py", parameters=ANY)
NAME = "X-Customer"


def customer(scope: Mapping[str, Any]) -> object:
    return single_header(scope, NAME)


@pytest.fixture
def added(monkeypatch: pytest.MonkeyPatch) -> None:
    line = CallHeader(NAME.lower().encode(), "key", customer)
    monkeypatch.setattr(call_headers, "CALL_HEADERS", CallHeaders(*CALL_HEADERS.headers, line))


def answers_of(
    redis_url: str, *asked: tuple[str, bytes, dict[str, str]]
) -> list[falcon.testing.Result]:
    async def talk() -> list[falcon.testing.Result]:
        app = create(Settings(redis=redis_url))
        async with falcon.testing.ASGIConductor(app) as conductor:
            return [
                await conductor.simulate_post(
                    path, body=body, headers={"Content-Type": "application/json", **headers}
                )
                for path, body, headers in asked
            ]

    return asyncio.run(talk())


@pytest.fixture
def published(redis_url: str, connection: BlockingConnection) -> str:
    connection.run(
        publish_function("echo", manifest=encode_manifest(ECHO), version="v1", source=b"")
    )
    return redis_url


@pytest.mark.usefixtures("added")
def test_a_line_of_the_table_reaches_the_record(
    published: str, connection: BlockingConnection
) -> None:
    with_it, without, batch = answers_of(
        published,
        ("/functions/echo", b"{}", {NAME: "ada"}),
        ("/functions/echo", b"{}", {}),
        ("/functions/echo/batch", b'[{"n":1}]', {NAME: "bob"}),
    )

    for answer, key in ((with_it, "ada"), (without, "")):
        assert answer.status_code == 202, answer.text
        record = connection.run(read(answer.json["id"]))
        assert record is not None
        assert record.key == key
    assert batch.status_code == 202, batch.text
    claimed = connection.run(claim(queue="default", worker="w", limit=9, lease_ms=10_000)).items
    [member] = [one.id for one in claimed if one.arguments == b'{"n":1}']
    record = connection.run(read(member))
    assert record is not None
    assert record.key == "bob"


@pytest.mark.usefixtures("added")
def test_it_makes_a_call_another_one_under_an_idempotency_key(published: str) -> None:
    once = {"Idempotency-Key": "one"}

    first, again, other = answers_of(
        published,
        ("/functions/echo", b"{}", {**once, NAME: "ada"}),
        ("/functions/echo", b"{}", {**once, NAME: "ada"}),
        ("/functions/echo", b"{}", {**once, NAME: "bob"}),
    )

    assert first.json["id"] == again.json["id"]
    assert (other.status_code, other.json["code"]) == (422, "idempotency_key_reused")


@pytest.mark.usefixtures("added")
def test_it_is_read_as_strictly_as_the_others(published: str) -> None:
    async def talk() -> falcon.testing.Result:
        app = create(Settings(redis=published))
        async with falcon.testing.ASGIConductor(app) as conductor:
            return await conductor.simulate_post(
                "/functions/echo",
                body=b"{}",
                headers=[("Content-Type", "application/json"), (NAME, "ada"), (NAME, "bob")],
            )

    answer = asyncio.run(talk())

    assert (answer.status_code, answer.json["code"]) == (422, "parameter_invalid")


def test_no_other_file_of_the_gateway_reads_a_header_of_the_table() -> None:
    """But where it is described for the document, and where one header needs its own reader."""
    described = {"gateway/openapi", "gateway/dashboard", "gateway/cli"}
    readers = {"call_headers.py", "tracing.py", "idempotency.py"}
    retries = {"retries.py"}  # of an invocation: it takes no options

    for path in sorted((ROOT / "gateway").rglob("*.py")):
        place = path.relative_to(ROOT).as_posix()
        if path.name in readers | retries or place.startswith(tuple(described)):
            continue
        text = path.read_text(encoding="utf-8").lower()
        for header in CALL_HEADERS.headers:
            name = header.name.decode()
            if "-" in name:  # else a field of the record has the same one
                assert f'"{name}"' not in text, place
