"""ForkServer: what children have, how they end, and that none outlives its owner."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from runtime.errors import ChannelClosedError, ProcessError
from runtime.processes.child_control import Exit
from runtime.processes.environment import clean_environment
from runtime.processes.fork_server import ForkServer
from runtime.settings import read_environment
from tests.support.process_ends import is_gone
from tests.support.waiting import eventually

ENTRIES = "tests.unit.runtime.processes.entries"
SECRET = {"PENSTOCK_REDIS": "redis://secret", "AWS_SECRET_ACCESS_KEY": "secret"}
MIB = 1024 * 1024


@pytest.fixture(scope="module")
def server():
    started = ForkServer(preload=["pydantic"], environment=clean_environment(read_environment()))
    started.start()
    yield started
    started.stop()


def reply_of_entry(server, entry, **options):
    with server.spawn(f"{ENTRIES}:{entry}", **options) as child:
        return child.channel.receive(10)


def test_frames_go_both_ways(server):
    with server.spawn(f"{ENTRIES}:echo") as child:
        child.channel.send(b"a", b"", b"b" * 3 * MIB)

        parts = child.channel.receive(10)

    assert parts == [b"b" * 3 * MIB, b"", b"a"]


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's own choice is Linux's")
def test_children_are_ended_before_others_when_the_machine_has_no_memory_left(server):
    before = Path("/proc/self/oom_score_adj").read_text()

    with server.spawn(f"{ENTRIES}:echo") as child:
        adjusted = Path(f"/proc/{child.pid}/oom_score_adj").read_text()

    assert adjusted == "500\n"
    assert Path("/proc/self/oom_score_adj").read_text() == before != adjusted


def test_child_has_its_own_session_signals_and_no_core(server):
    report = json.loads(reply_of_entry(server, "describe")[0])

    assert report["session"] == report["group"] == report["pid"]
    assert report["parent"] == server.pid
    assert report["core"] == [0, 0]
    assert report["sigterm"]
    assert report["sigchld"]


def test_child_has_no_descriptor_but_channel_and_standard_ones(server):
    kept = os.open("/dev/zero", os.O_RDONLY)
    os.set_inheritable(kept, True)
    with server.spawn(f"{ENTRIES}:echo"):  # the second child must not have the first one's
        report = json.loads(reply_of_entry(server, "describe")[0])
    os.close(kept)

    assert set(map(int, report["descriptors"])) == {0, 1, 2, report["channel"]}
    assert report["channel"] >= 100
    assert report["descriptors"]["0"] == "/dev/null"
    assert report["stdin"] == ""


def test_child_sees_no_secret_in_its_environment():
    source = {**read_environment(), **SECRET, "CHOSEN": "yes", "LC_ALL": "C.UTF-8"}
    server = ForkServer(preload=[], environment=clean_environment(source, ["CHOSEN"]))

    report = json.loads(reply_of_entry(server, "describe")[0])

    server.stop()
    assert report["environment"]["CHOSEN"] == "yes"
    assert report["environment"]["LC_ALL"] == "C.UTF-8"
    assert not set(SECRET) & set(report["environment"])
    assert "secret" not in report["exec_environment"]


def test_memory_limit_raises_memory_error_and_leaves_room_for_work(server):
    with server.spawn(f"{ENTRIES}:allocate", memory_bytes=256 * MIB) as child:
        answers = []
        for mib in (64, 1024, 64):
            child.channel.send(b"%d" % mib)
            answers += child.channel.receive(20)
    drawn = reply_of_entry(server, "draw", memory_bytes=256 * MIB)

    assert answers == [b"fits", b"MemoryError", b"fits"]
    assert drawn == [b"\x89PNG"]


@pytest.mark.parametrize("code", [0, 7, 255])
def test_exit_code_is_reported(server, code):
    with server.spawn(f"{ENTRIES}:leave") as child:
        child.channel.send(str(code).encode())

        assert child.wait(10) == Exit(code, None)
        assert child.wait(0) == Exit(code, None)


def test_raising_entry_exits_with_one_and_the_server_goes_on(server):
    with server.spawn(f"{ENTRIES}:crash") as child:
        assert child.wait(10) == Exit(1, None)
    assert server.spawn(f"{ENTRIES}:echo").close() is None


def test_wait_ends_without_an_exit_while_the_child_lives(server):
    with server.spawn(f"{ENTRIES}:echo") as child:
        assert child.wait(0) is None
        assert child.wait(0.01) is None


def test_death_by_signal_is_reported(server):
    with server.spawn(f"{ENTRIES}:echo") as child:
        os.kill(child.pid, signal.SIGSEGV)

        assert child.wait(10) == Exit(None, signal.SIGSEGV)
        with pytest.raises(ChannelClosedError):
            child.channel.receive(1)


@pytest.mark.parametrize("how", ["kill", "close", "outside"])
def test_grandchildren_die_with_the_child(server, how):
    child = server.spawn(f"{ENTRIES}:stay")
    pids = json.loads(child.channel.receive(20)[0])

    if how == "kill":
        child.kill()
    elif how == "outside":
        os.kill(child.pid, signal.SIGKILL)
    if how != "close":
        assert child.wait(10) == Exit(None, signal.SIGKILL)
    child.close()

    assert eventually(lambda: all(map(is_gone, pids)), within_s=10)


def test_killing_twice_or_late_harms_nobody(server):
    with server.spawn(f"{ENTRIES}:echo") as child, server.spawn(f"{ENTRIES}:echo") as other:
        child.kill()
        child.kill()
        assert child.wait(10) == Exit(None, signal.SIGKILL)
        child.kill()

        other.channel.send(b"still here")
        assert other.channel.receive(10) == [b"still here"]


def test_threads_may_spawn_at_once(server):
    start = threading.Barrier(8)

    def spawn(number):
        start.wait()
        with server.spawn(f"{ENTRIES}:echo") as child:
            child.channel.send(b"%d" % number)
            return child.channel.receive(20)

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(spawn, range(8)))

    assert answers == [[b"%d" % number] for number in range(8)]


def test_killed_server_takes_its_children_and_is_replaced():
    server = ForkServer(preload=[], environment=clean_environment(read_environment()))
    child = server.spawn(f"{ENTRIES}:echo")
    child.channel.send(b"up")
    assert child.channel.receive(10) == [b"up"]
    first = server.pid

    os.kill(first, signal.SIGKILL)
    assert child.wait(10) == Exit(None, signal.SIGKILL)
    assert eventually(lambda: is_gone(child.pid), within_s=5)
    with server.spawn(f"{ENTRIES}:echo") as second:
        second.channel.send(b"x")
        assert second.channel.receive(10) == [b"x"]

    assert server.pid != first
    child.close()
    server.stop()


@pytest.fixture
def halted():
    """A server that has forked, and cannot go on."""
    started = ForkServer(preload=[], environment=clean_environment(read_environment()))
    child = started.spawn(f"{ENTRIES}:stay")
    pids = json.loads(child.channel.receive(20)[0])
    os.kill(started.pid, signal.SIGSTOP)
    yield started, child, pids
    child.close()
    started.stop()
    for pid in pids:  # a halted server ends no sessions of its children's making
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def test_server_that_does_not_answer_is_replaced(halted):
    server, child, _ = halted
    first = server.pid

    with server.spawn(f"{ENTRIES}:echo") as second:
        second.channel.send(b"x")
        assert second.channel.receive(10) == [b"x"]

    assert server.pid != first
    assert is_gone(first)
    assert child.wait(10) == Exit(None, signal.SIGKILL)
    assert eventually(lambda: is_gone(child.pid), within_s=5)


def test_child_of_a_server_that_does_not_answer_is_killed_with_its_group(halted):
    _, child, [_, plain, *_] = halted

    child.kill()
    assert eventually(lambda: is_gone(child.pid) and is_gone(plain), within_s=4)

    assert child.wait(2) == Exit(None, signal.SIGKILL)


def test_server_that_does_not_answer_stops_in_order(halted):
    server, _, pids = halted
    everything = [server.pid, *pids]

    server.stop()

    assert eventually(lambda: all(map(is_gone, everything)), within_s=2)


def test_stopped_server_leaves_nothing_and_refuses():
    server = ForkServer(preload=[], environment=clean_environment(read_environment()))
    child = server.spawn(f"{ENTRIES}:stay")
    pids = [server.pid, *json.loads(child.channel.receive(20)[0])]

    server.stop()
    server.stop()

    assert eventually(lambda: all(map(is_gone, pids)), within_s=5)
    with pytest.raises(ProcessError, match="stopped"):
        server.spawn(f"{ENTRIES}:echo")
    child.close()


def test_server_that_cannot_start_is_an_error():
    server = ForkServer(
        preload=["no_such_module"], environment=clean_environment(read_environment())
    )

    with pytest.raises(ProcessError):
        server.spawn(f"{ENTRIES}:echo")

    server.stop()


def test_killed_owner_leaves_no_process():
    owner = subprocess.Popen(
        [sys.executable, "-m", "tests.unit.runtime.processes.owner"],
        cwd=Path(__file__).parents[4],
        stdout=subprocess.PIPE,
    )
    pids = json.loads(owner.stdout.readline())
    assert not any(map(is_gone, pids))

    owner.kill()
    owner.wait()
    owner.stdout.close()

    assert eventually(lambda: all(map(is_gone, pids)), within_s=10)
