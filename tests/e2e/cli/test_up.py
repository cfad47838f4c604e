"""`penstock up`: it comes up, restarts what dies, stops cleanly and leaves nothing behind."""

from __future__ import annotations

import re
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from runtime.store.redis_keys import Keys
from tests.support.commands import penstock
from tests.support.system import System, running_system
from tests.support.waiting import eventually

ECHO = """\
def echo(text: str) -> str:
    return text
"""
GONE_LIMIT_S = 20.0


def write_echo(folder: Path) -> Path:
    functions = folder / "functions"
    functions.mkdir()
    (functions / "echo.py").write_text(ECHO, encoding="utf-8")
    return functions


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """One system for all tests that leave it running."""
    folder = tmp_path_factory.mktemp("lasting")
    with running_system(folder, "--workers", "1", functions=write_echo(folder)) as system:
        yield system


@pytest.fixture
def whole(tmp_path: Path) -> Iterator[System]:
    """A system as `up` starts it when nothing is said, for a test that ends it."""
    with running_system(tmp_path, functions=write_echo(tmp_path)) as system:
        yield system


@pytest.fixture
def running(tmp_path: Path) -> Iterator[System]:
    """A system of its own for a test that ends it."""
    with running_system(tmp_path, "--workers", "1", functions=write_echo(tmp_path)) as system:
        yield system


def echoes(system: System, text: str) -> bool:
    """Whether a call of `echo` succeeds."""
    try:
        answer = system.call("echo", wait_s=5, text=text)
    except httpx.TransportError:
        return False
    return answer.status_code == 200 and answer.json()["result"] == text


def are_gone(processes: list[psutil.Process]) -> bool:
    return not [p for p in processes if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere memory is counted differently")
def test_at_rest_it_takes_less_than_300_mb(whole: System):
    eventually(lambda: "Penstock is ready" in whole.read_log())

    # What processes share is counted in each of them, as `ps` and `top` show it.
    taken_bytes = sum(process.memory_info().rss for process in whole.processes())

    assert taken_bytes < 300e6


def test_it_greets_with_addresses_and_stops_without_a_trace(running: System, tmp_path: Path):
    eventually(lambda: "Penstock is ready" in running.read_log())
    everybody = running.processes()
    assert echoes(running, "hello")

    running.up.send_signal(signal.SIGTERM)
    code = running.up.wait(GONE_LIMIT_S)

    log = running.read_log()
    assert code == 0, log
    assert f"docs       {running.base_url}/docs" in log
    assert f"{running.base_url}/functions/echo" in log
    assert "Traceback" not in log
    assert (
        log.index("stopping gateway") < log.index("stopping worker") < log.index("stopping redis")
    )
    assert len(everybody) >= 5
    assert are_gone(everybody)
    assert not (tmp_path / "data" / "up.json").exists()
    assert not (tmp_path / "data" / "redis" / "redis.sock").exists()


def test_what_was_accepted_is_there_after_a_restart(tmp_path: Path):
    functions = write_echo(tmp_path)
    with running_system(tmp_path, "--workers", "1", functions=functions) as before:
        invocation = before.call("echo", wait_s=5, text="hello").json()

    with running_system(tmp_path, "--workers", "1", functions=functions) as after:
        found = after.invocation(invocation["id"])

    assert found["result"] == "hello"


def test_a_second_one_on_the_same_data_is_refused(lasting: System):
    answer = penstock("up", "--port", "0", "--data", lasting.data)

    assert answer.returncode == 5
    assert f"already runs on the data folder {lasting.data} at {lasting.base_url}" in answer.stderr
    assert echoes(lasting, "still here")


@pytest.mark.parametrize("kind", ["gateway", "worker", "redis"])
def test_what_is_killed_is_started_again(lasting: System, kind: str):
    [victim] = lasting.parts(kind)
    left = victim.children(recursive=True)
    assert echoes(lasting, "before")

    victim.kill()

    reported = rf"{kind}[-\d]* \(pid {victim.pid}\) ended: killed by SIGKILL; starting it again"
    eventually(lambda: re.search(reported, lasting.read_log()), within_s=10)
    eventually(lambda: echoes(lasting, "after"), within_s=25)
    [heir] = lasting.parts(kind)
    assert heir.pid != victim.pid
    eventually(lambda: are_gone(left), within_s=5)


def test_a_record_with_longer_arguments_lies_in_one_piece(lasting: System):
    [short, long] = [
        lasting.call("echo", wait_s=5, text="x" * length).json()["id"] for length in (300, 2_000)
    ]

    encodings = [
        lasting.run_command("OBJECT", "ENCODING", Keys().build("record", id_))
        for id_ in (short, long)
    ]

    assert encodings[0] in {b"listpack", b"ziplist"}
    assert encodings[1] == b"hashtable"


def test_secrets_are_not_on_command_lines(lasting: System):
    secret = (lasting.data / "callback_secret").read_text(encoding="ascii").strip()

    lines = [" ".join(process.cmdline()) for process in lasting.processes()]

    assert len(secret) > 32
    assert not [line for line in lines if secret in line]


def test_a_data_folder_with_a_long_path_works(tmp_path: Path):
    deep = tmp_path / ("deep" * 30)
    deep.mkdir()

    with running_system(deep, "--workers", "1", functions=write_echo(tmp_path)) as system:
        socket = system.redis_socket
        answered = echoes(system, "hello")

    assert answered
    assert deep not in socket.parents
    assert not socket.parent.exists()
