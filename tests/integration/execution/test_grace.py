"""`grace`: what runs out of time may clean up, and is killed if it does not end then."""

from __future__ import annotations

import json
import time

import pytest

from tests.integration.execution.bench import error_of
from tests.integration.execution.written import write
from tests.support.waiting import allowed

CLEANS_UP = """
import asyncio, subprocess, threading, time
from concurrent.futures import ThreadPoolExecutor
from penstock import function

def work(way):
    try:
        if way == "sleep": time.sleep(60)
        if way == "compute":
            while True: pass
        if way == "lock":
            lock = threading.Lock()
            lock.acquire(), lock.acquire()
        if way == "process": subprocess.run(["sleep", "60"])
        if way == "broad":
            while True:
                try: time.sleep(60)
                except Exception: print("swallowed")
        if way == "pool":
            with ThreadPoolExecutor(1) as pool: pool.submit(time.sleep, 0.7).result()
        if way == "loop": asyncio.run(asyncio.sleep(60))
        if way == "return":
            try: time.sleep(60)
            finally: return "cleaned up"
        if way == "raise":
            try: time.sleep(60)
            finally: raise ValueError("while it cleaned up")
    finally:
        print("cleaned up")

def generate():
    try:
        yield 1
        time.sleep(60)
    finally:
        print("cleaned up")

async def await_(way):
    try:
        if way == "await": await asyncio.sleep(60)
        if way == "await thread": await asyncio.to_thread(time.sleep, 0.7)
        if way == "await group":
            async with asyncio.TaskGroup() as group:
                group.create_task(asyncio.sleep(60))
        if way == "await stubborn":
            try: await asyncio.sleep(60)
            except asyncio.CancelledError: return "done all the same"
    finally:
        await asyncio.sleep(0)
        print("cleaned up")

async def agenerate():
    try:
        yield 1
        await asyncio.sleep(60)
    finally:
        print("cleaned up")

@function(timeout="300ms", grace="20s")
def f(way: str):
    if way == "yield": return generate()
    if way == "yield awaited": return agenerate()
    return await_(way) if way.startswith("await") else work(way)
"""
WAYS = [
    *("sleep", "compute", "lock", "process", "broad", "pool", "loop", "return", "raise", "yield"),
    *("await", "await thread", "await group", "await stubborn", "yield awaited"),
]


@pytest.mark.parametrize("way", WAYS)
def test_what_runs_out_of_time_cleans_up_and_is_a_timeout(make_bench, way):
    bench = make_bench(size=1)
    written = write(CLEANS_UP, timeout_s=0.3, grace_s=20)

    outcome = bench.run(written, json.dumps({"way": way}).encode())

    assert error_of(outcome)["type"] == "timeout"
    assert error_of(outcome)["message"] == "ran longer than 0.3 s"
    assert outcome.logs == b"cleaned up\n"


@pytest.mark.parametrize(
    "body",
    [
        "while True:\n        try: time.sleep(60)\n        except BaseException: pass",
        "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM]); time.sleep(60)",
        "try: time.sleep(60)\n    finally: time.sleep(60)",
        "sum(range(10**12))",
    ],
)
def test_who_does_not_end_within_the_grace_is_killed(bench, body):
    source = (
        "import ctypes, signal, time\nfrom penstock import function\n"
        f"@function(timeout='200ms', grace='300ms')\ndef f():\n    {body}\n"
    )
    began_at = time.monotonic()

    outcome = bench.run(write(source, timeout_s=0.2, grace_s=0.3))

    assert error_of(outcome)["message"] == "ran longer than 0.2 s plus 0.3 s of grace"
    assert time.monotonic() - began_at < allowed(5)


def test_who_ends_in_time_is_not_disturbed(make_bench):
    bench = make_bench(size=1)
    source = (
        "import os, signal, time\nfrom penstock import function\n"
        "@function(timeout='300ms', grace='1s')\n"
        "def f(n: int):\n    time.sleep(n / 100)\n"
        "    return [os.getpid(), signal.getitimer(0)[0] > 0]\n"
    )
    written = write(source, timeout_s=0.3, grace_s=1)

    results = [bench.run(written, b'{"n": %d}' % n).result for n in (1, 20, 1, 20)]

    assert len(set(results)) == 1
    assert json.loads(results[0])[1] is True
