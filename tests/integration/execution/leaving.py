"""A function file of which each call leaves something running; read as text by the tests."""

from __future__ import annotations

import _thread
import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.pool import ThreadPool

POOL = ThreadPoolExecutor(2)
KEPT = []


def say(who):
    for _ in range(60):  # it ends before the test does
        print(f"print of {who}")
        print(f"part of {who}", end="")
        sys.stderr.write(f"error of {who}\n")
        sys.stdout.buffer.write(f"bytes of {who}\n".encode())
        time.sleep(0.01)


async def say_async(who, *, is_stubborn=False):
    for _ in range(150):
        print(f"task of {who}")
        try:
            await asyncio.sleep(0.01)
        except asyncio.CancelledError:
            if not is_stubborn:
                raise


async def items(who):
    try:
        yield 1
        yield 2
    finally:
        await asyncio.sleep(0)
        print(f"generator of {who}")


def start(target, *args, **options):
    threading.Thread(target=target, args=args, **options).start()


def fork(who):
    if os.fork() == 0:
        say(who)
        os._exit(0)


def set_alarm(who, *, is_captured=True):
    signal.signal(
        signal.SIGALRM, (lambda *_: print(f"alarm of {who}")) if is_captured else signal.SIG_DFL
    )
    signal.setitimer(signal.ITIMER_REAL, 0.1)


def keep(value):
    KEPT.append(value)
    return value


def start_raw(who):
    begun = []
    _thread.start_new_thread(lambda: (begun.append(1), say(who)), ())
    while not begun:
        time.sleep(0.001)


PLAIN = {
    "thread": lambda who: start(say, who),
    "daemon": lambda who: start(say, who, daemon=True),
    "raw thread": start_raw,
    "timer": lambda who: threading.Timer(0.1, say, (who,)).start(),
    "thread of a thread": lambda who: start(start, say, who),
    "pool of the file": lambda who: POOL.submit(say, who),
    "pool with more to do": lambda who: [POOL.submit(say, who) for _ in range(9)],
    "pool of the call": lambda who: keep(ThreadPoolExecutor(1)).submit(say, who),
    "pool of multiprocessing": lambda who: keep(ThreadPool(1)).apply_async(say, (who,)),
    "process": lambda who: subprocess.Popen(
        f"sleep 0.1; while :; do echo process of {who}; sleep 0.01; done", shell=True
    ),
    "fork": fork,
    "alarm": set_alarm,
    "deadly alarm": lambda who: set_alarm(who, is_captured=False),
}
AWAITED = {
    "task": lambda who, loop: keep(loop.create_task(say_async(who))),
    "stubborn task": lambda who, loop: keep(loop.create_task(say_async(who, is_stubborn=True))),
    "thread of the loop": lambda who, loop: keep(loop.create_task(asyncio.to_thread(say, who))),
    "executor of the loop": lambda who, loop: loop.run_in_executor(None, say, who),
    "callback": lambda who, loop: loop.call_later(0.1, print, "callback of", who),
    "task of a callback": lambda who, loop: loop.call_later(
        0.1, lambda: keep(loop.create_task(say_async(who)))
    ),
    "generator": lambda who, loop: keep(loop.create_task(anext(keep(items(who))))),
}


async def leave_awaited(how, who):
    if not who:
        await asyncio.sleep(0.25)
        return
    AWAITED[how](who, asyncio.get_running_loop())
    await asyncio.sleep(0.02)


def f(how: str, who: str = ""):
    if how in AWAITED:
        return leave_awaited(how, who)
    if who:
        PLAIN[how](who)
    else:
        time.sleep(0.25)
    return None
