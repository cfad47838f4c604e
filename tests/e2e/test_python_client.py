"""The Python client on a running system, blocking and in an event loop."""

from __future__ import annotations

import asyncio
import io
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from penstock.client import (
    AlreadyFinishedError,
    ArgumentsInvalidError,
    AsyncClient,
    Client,
    FunctionFailedError,
    FunctionNotFoundError,
    FunctionTimeoutError,
    InvocationCancelledError,
    RejectedError,
    WaitTimeoutError,
)
from tests.support.system import System
from tests.support.waiting import eventually

ROWS = 1_000
PAGE = Path(__file__).parents[2] / "docs/python-client.md"


@pytest.fixture(scope="module")
def client(system: System) -> Iterator[Client]:
    with Client(system.base_url) as made:
        yield made


def picture() -> bytes:
    written = io.BytesIO()
    Image.new("RGB", (64, 32), "red").save(written, "png")
    return written.getvalue()


def kill_gateway(system: System) -> None:
    """Kill the gateway; its supervisor starts another one at once."""
    for gateway in system.parts("gateway"):
        gateway.kill()


def runs(file: Path) -> list[str]:
    """Return what the function `witness` did, in order."""
    return [line.split()[0] for line in file.read_text().splitlines()] if file.exists() else []


def test_a_call_returns_what_the_function_returns(client: Client):
    assert client.call("hello", name="Ada") == "Hello, Ada!"
    assert client.call("hello", name="AQID" * 8) == f"Hello, {'AQID' * 8}!"
    assert client.call("say", text="AQID") == "AQID"
    assert client.call("count_bytes", data=b"\x00\xff" * 5) == 10


def test_bytes_come_back_as_bytes(client: Client):
    small = client.call("thumbnail", image=picture(), width=8)

    assert isinstance(small, bytes)
    assert Image.open(io.BytesIO(small)).size == (8, 4)


def test_no_bytes_come_back_as_no_bytes(client: Client):
    assert client.call("flip", data=b"") == b""
    assert client.call("say", text="") == ""


def test_a_response_is_what_it_consists_of(client: Client, system: System):
    called = httpx.post(f"{system.base_url}/function/mirror/teapot")

    response = client.invocation(called.headers["X-Call-Id"]).result()

    assert (response["status"], response["body"]) == (418, "short and stout")
    assert response["headers"]["X-Pot"] == "tea"


@pytest.mark.parametrize(
    ("function", "arguments", "error"),
    [
        ("no_such_function", {}, FunctionNotFoundError),
        ("..", {}, FunctionNotFoundError),
        ("say", {"text": 7}, ArgumentsInvalidError),
        ("reject", {}, RejectedError),
        ("raise_error", {}, FunctionFailedError),
        ("sleep_too_long", {}, FunctionTimeoutError),
    ],
)
def test_every_ending_has_an_error_whether_one_waits_or_asks_later(
    client: Client, function: str, arguments: dict[str, Any], error: type[Exception]
):
    with pytest.raises(error) as waiting:
        client.call(function, **arguments)
    with pytest.raises(error) as asking:
        client.submit(function, **arguments).result()

    assert type(asking.value) is type(waiting.value) is error


def test_an_error_says_what_happened(client: Client):
    with pytest.raises(ArgumentsInvalidError) as wrong:
        client.call("say", text=7)
    with pytest.raises(FunctionFailedError) as failed:
        client.call("raise_error")

    assert [fault["pointer"] for fault in wrong.value.errors] == ["/text"]
    assert failed.value.exception_type == "ValueError"
    assert "this went wrong" in failed.value.traceback
    assert failed.value.invocation["status"] == "failed"


def test_a_submitted_call_is_followed_and_read(client: Client):
    invocation = client.with_options(tags=["mine"]).submit("count_up", to=3)

    events = list(invocation.events())

    assert [event.value() for event in events if event.name == "item"] == [0, 1, 2]
    assert events[-1].name == "end"
    assert list(invocation.events(events[-1].id)) == []
    assert invocation.result() == [0, 1, 2]
    assert invocation.status == "succeeded"
    assert invocation.record["tags"] == ["mine"]
    assert invocation.logs() == "number 0\nnumber 1\nnumber 2\n"
    assert client.invocation(invocation.id).refresh().result(timeout=0) == [0, 1, 2]


def test_waiting_ends_with_its_timeout_and_the_call_can_be_cancelled(client: Client):
    patient = client.with_options(timeout=1, idempotency_key="sleeping")

    with pytest.raises(WaitTimeoutError) as late:
        patient.call("sleep_on")
    invocation = patient.submit("sleep_on")
    with pytest.raises(WaitTimeoutError):
        invocation.result(timeout=0)
    invocation.cancel()

    assert invocation.id == late.value.id
    with pytest.raises(InvocationCancelledError):
        invocation.result(timeout=20)
    assert invocation.cancel().status == "cancelled"
    done = client.submit("hello")
    done.result()
    with pytest.raises(AlreadyFinishedError):
        done.cancel()


def test_a_batch_is_read_in_the_order_of_its_rows(client: Client):
    batch = client.batch("hello", ({"name": f"n{number}"} for number in range(ROWS)))

    results = [outcome.result() for outcome in batch]

    assert results == [f"Hello, n{number}!" for number in range(ROWS)]
    assert (len(batch), batch.counts()["succeeded"]) == (ROWS, ROWS)


def test_a_batch_is_read_as_its_calls_end(client: Client, tmp_path: Path):
    gate = tmp_path / "gate"
    rows = [{"to": 1, "until": str(gate)}, *({"to": 1} for _ in range(20)), {"to": -1}]
    outcomes = client.batch("count_up", rows).as_completed()

    early = [next(outcomes) for _ in range(21)]
    gate.touch()
    late = list(outcomes)

    assert sorted(outcome.index for outcome in early) == list(range(1, 22))
    assert [(outcome.index, outcome.result()) for outcome in late] == [(0, [0])]


@pytest.mark.parametrize("ask", [Client.call, lambda c, *a, **k: c.submit(*a, **k).result()])
def test_a_gateway_that_is_killed_meanwhile_costs_neither_the_result_nor_a_second_run(
    client: Client, system: System, tmp_path: Path, ask: Callable[..., Any]
):
    file = tmp_path / "runs"

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(ask, client, "witness", number=7, file=str(file), pause_s=0.5)
        eventually(lambda: runs(file))
        kill_gateway(system)

        assert waiting.result(30) == 7
    assert runs(file) == ["began", "ended"]


def test_events_go_on_with_the_next_gateway(client: Client, system: System, tmp_path: Path):
    gate = tmp_path / "gate"
    events = client.submit("count_up", to=3, until=str(gate)).events()

    seen = [next(events)]
    while seen[-1].name != "item":
        seen.append(next(events))
    kill_gateway(system)
    gate.touch()
    seen += list(events)

    assert [event.value() for event in seen if event.name == "item"] == [0, 1, 2]
    assert len({event.id for event in seen}) == len(seen)


def test_the_same_in_an_event_loop(system: System, tmp_path: Path):
    async def scenario() -> None:
        async with AsyncClient(system.base_url) as client:
            names = [f"n{number}" for number in range(50)]
            greetings = await asyncio.gather(*(client.call("hello", name=name) for name in names))
            assert greetings == [f"Hello, {name}!" for name in names]

            with pytest.raises(FunctionFailedError, match="this went wrong"):
                await client.call("raise_error")
            assert isinstance(await client.call("thumbnail", image=picture(), width=8), bytes)

            followed = await client.submit("count_up", to=2)
            events = [event async for event in followed.events()]
            assert [event.value() for event in events if event.name == "item"] == [0, 1]
            assert await followed.result() == [0, 1]
            assert await followed.logs() == "number 0\nnumber 1\n"

            endless = await client.submit("sleep_on")
            await endless.cancel()
            with pytest.raises(InvocationCancelledError):
                await endless.result(timeout=20)

            batch = await client.batch("say", [{"text": str(number)} for number in range(150)])
            assert [one.result() async for one in batch] == [str(number) for number in range(150)]
            ended = {one.index async for one in batch.as_completed()}
            assert (ended, (await batch.counts())["succeeded"]) == (set(range(150)), 150)

            file = tmp_path / "runs"
            waiting = asyncio.create_task(
                client.call("witness", number=7, file=str(file), pause_s=0.5)
            )
            await asyncio.to_thread(eventually, lambda: runs(file))
            kill_gateway(system)
            assert await waiting == 7
            assert runs(file) == ["began", "ended"]

    asyncio.run(scenario())


def test_the_examples_of_the_page_run(
    system: System,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    text = PAGE.read_text(encoding="utf-8").replace("http://127.0.0.1:8000", system.base_url)
    monkeypatch.setenv("PENSTOCK_URL", system.base_url)
    monkeypatch.chdir(tmp_path)
    Path("photo.png").write_bytes(picture())
    names: dict[str, Any] = {}

    for example in re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        exec(example, names)
    names["client"].close()

    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Hello, Ada!"
    assert "succeeded ['nightly']" in lines
    assert "['Hello, Ada!', 'Hello, Grace!']" in lines
    assert lines[-4:-1] == ["0 Hello, Ada!", "1 Hello, Grace!", "2 Hello, Linus!"]
    assert Path("small.png").read_bytes().startswith(b"\x89PNG")
