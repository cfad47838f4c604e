"""A function file whose calls do what their arguments say; read as text by the tests."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from penstock import Context, function

FOR_CODE_OF_TESTS = (contextlib, ctypes, os, signal, subprocess)
LOG = logging.getLogger("of.the.file")
CONSOLE = logging.StreamHandler()  # bound to what stderr was while the file was loaded
POOL = ThreadPoolExecutor(2)
KEPT = []
GATE = {}


@function
async def sleep(s: float = 0.0):
    await asyncio.sleep(s)
    return s


@function
async def wait():
    """Wait until `open_gate` is called, in the loop in which both run."""
    gate = GATE.setdefault("gate", asyncio.Event())
    await gate.wait()
    return "opened"


@function
async def open_gate():
    GATE.pop("gate").set()
    return "done"


@function
async def say(who: str, ctx: Context):
    print("begin", who, end="")
    await asyncio.sleep(0)
    print(" end", who)
    sys.stderr.write(f"error of {who}\n")
    sys.stdout.buffer.write(f"bytes of {who}\n".encode())
    LOG.info("record of %s", who)
    CONSOLE.emit(LOG.makeRecord("console", 20, "f", 1, f"console of {who}", (), None))
    ctx.log.warning("ctx.log of %s", who)
    ctx.progress(1, 2, who)
    ctx.emit({"of": who})
    await asyncio.gather(*(in_task(who) for _ in range(2)))
    await asyncio.to_thread(print, f"thread of {who}")
    await asyncio.get_running_loop().run_in_executor(None, print, f"executor of {who}")
    thread = threading.Thread(target=print, args=(f"own thread of {who}",))
    thread.start()
    await asyncio.to_thread(thread.join)
    asyncio.get_running_loop().call_soon(print, f"callback of {who}")
    await asyncio.sleep(0)
    print("rest of", who, end="")
    return who


async def in_task(who):
    await asyncio.sleep(0)
    print("task of", who)


@function
async def items(who: str, count: int = 3):
    for n in range(count):
        await asyncio.sleep(0)
        yield [who, n]


@function
async def do(code: str):
    """Run code of a test; `await` is allowed in it."""
    body = "".join(f"    {line}\n" for line in code.splitlines())
    names = {}
    exec(f"async def run():\n{body}", globals(), names)
    return await names["run"]()


@function
def plain(code: str, ctx: Context):
    names = {"ctx": ctx}
    exec(code, globals() | names, names)
    return names.get("result")


def block(s):
    time.sleep(s)
