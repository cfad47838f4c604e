"""What an open dashboard adds to the cost of a loaded system, in CPU time per call.

    python -m tests.bench.dashboard_cost [--rate 400] [--period-s 12] [--rounds 8] [--replay]

A whole system (`penstock up`) runs calls at a steady rate. Periods without and with open
overview pages take turns; in each the CPU time of all of the system's processes is divided
by the calls. The browser and this program are not counted. A browser that draws takes the
cores from the system, which then works in larger groups and cheaper; so `--replay` notes what
a page asks for, ends the browser, and asks for the same at the same times.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path

from playwright.async_api import BrowserContext, Page, async_playwright

from tests.bench.plain_http import PlainConnection, connect, encode_request
from tests.bench.processes import cpu_s_each
from tests.bench.reporting import report
from tests.support.system import System, running_system

CONNECTIONS = 16
SETTLING_S = 2.5  # between two periods: pages open and close
WARM_UP_S = 5.0
MOST_PAGES = 20
FUNCTIONS = {
    "steady": "def steady(text: str) -> str:\n    return text\n",
    "shaky": "def shaky(number: int) -> int:\n    return 1 // (number % 2)\n",
}
_WAIT = ("Prefer: wait=10",)
USUAL = encode_request("POST", "/functions/steady", b'{"text":"hello"}', _WAIT)
FAILING = encode_request("POST", "/functions/shaky", b'{"number":2}', _WAIT)
_FAILING_EVERY = 50
NOTED_S = 60.0

Question = tuple[float, str]  # when after the page was drawn, and what


class Load:
    """Calls at a steady rate, each waiting for its result, until stopped."""

    def __init__(self, connections: list[PlainConnection], rate: float) -> None:
        self.ended = 0
        self._connections = connections
        self._pause_s = len(connections) / rate
        self._is_stopping = False

    async def run(self) -> None:
        """Call until stopped."""
        await asyncio.gather(
            *(self._run_one(connection, i) for i, connection in enumerate(self._connections))
        )

    def stop(self) -> None:
        """Let every connection end its call, and no more."""
        self._is_stopping = True

    async def _run_one(self, connection: PlainConnection, number: int) -> None:
        loop = asyncio.get_running_loop()
        due_at = loop.time() + self._pause_s * number / len(self._connections)
        calls = number
        while not self._is_stopping:
            await asyncio.sleep(due_at - loop.time())
            due_at = max(due_at + self._pause_s, loop.time())
            calls += 1
            request = FAILING if calls % _FAILING_EVERY == 0 else USUAL
            status, body = await connection.ask(request)
            if status not in (200, 502):
                raise RuntimeError(f"a call was answered with {status}: {body[:200]!r}")
            self.ended += 1


def cpu_seconds(system: System) -> dict[int, float]:
    """Return the CPU time so far of each living process of the system."""
    return cpu_s_each(process.pid for process in system.processes())


async def measure(system: System, load: Load, period_s: float) -> float:
    """Return the CPU time per call of one period, in microseconds."""
    before, calls_before = cpu_seconds(system), load.ended
    await asyncio.sleep(period_s)
    after, calls = cpu_seconds(system), load.ended - calls_before
    spent_s = sum(s - before.get(pid, 0.0) for pid, s in after.items())
    return spent_s / calls * 1e6


async def open_pages(context: BrowserContext, system: System, count: int) -> list[Page]:
    """Open so many overview pages and see each drawn."""
    pages = []
    for _ in range(count):
        page = await context.new_page()
        await page.goto(f"{system.base_url}/dashboard")
        await page.wait_for_selector("#content h1")
        pages.append(page)
    return pages


@asynccontextmanager
async def new_browser() -> AsyncIterator[BrowserContext]:
    """Start a browser; end it at the end."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=shutil.which("chromium") or shutil.which("chromium-browser"),
            args=["--no-sandbox", "--disable-gpu"],
        )
        yield await browser.new_context(viewport={"width": 1280, "height": 900})
        await browser.close()


async def note_questions(system: System) -> list[Question]:
    """Return what an overview page asks for, and when, once it has been drawn."""
    questions: list[Question] = []
    async with new_browser() as context:
        [page] = await open_pages(context, system, 1)
        began_at = time.monotonic()
        page.on(
            "request",
            lambda one: questions.append(
                (time.monotonic() - began_at, one.url.removeprefix(system.base_url))
            ),
        )
        await asyncio.sleep(NOTED_S)
    report(f"a page asks {len(questions)} times in {NOTED_S:.0f} s")
    return questions


async def ask_like_a_page(system: System, questions: list[Question], offset_s: float) -> None:
    """Ask for the same again and again, as a page that was opened so much earlier."""
    loop = asyncio.get_running_loop()
    connection = await connect(system.base_url)
    began_at = loop.time() - offset_s
    try:
        while True:
            for at_s, target in questions:
                if began_at + at_s >= loop.time():
                    await asyncio.sleep(began_at + at_s - loop.time())
                    await connection.ask(encode_request("GET", target))
            began_at += NOTED_S
    finally:
        connection.close()


@asynccontextmanager
async def replayed_pages(
    system: System, questions: list[Question], count: int
) -> AsyncIterator[None]:
    """Keep so many pages asking, one after the other."""
    asking = [
        asyncio.create_task(ask_like_a_page(system, questions, NOTED_S * number / count))
        for number in range(count)
    ]
    yield
    for one in asking:
        if one.done():
            one.result()  # it ended by an error
        one.cancel()
    await asyncio.gather(*asking, return_exceptions=True)


@asynccontextmanager
async def real_pages(context: BrowserContext, system: System, count: int) -> AsyncIterator[None]:
    """Keep so many pages open."""
    pages = await open_pages(context, system, count)
    yield
    for page in pages:
        await page.close()


async def compare(system: System, flags: argparse.Namespace) -> list[tuple[float, float]]:
    """Return (without, with) for each round; which comes first takes turns."""
    connections = [await connect(system.base_url) for _ in range(CONNECTIONS)]
    load = Load(connections, flags.rate)
    running = asyncio.create_task(load.run())
    rounds: list[tuple[float, float]] = []
    async with AsyncExitStack() as stack:
        if flags.replay:
            show = partial(replayed_pages, system, await note_questions(system))
        else:
            show = partial(real_pages, await stack.enter_async_context(new_browser()), system)
            async with show(1):
                pass  # its files are in the browser's cache from now on
        await asyncio.sleep(WARM_UP_S)
        for number in range(flags.rounds):
            found: dict[bool, float] = {}
            for is_open in (False, True) if number % 2 else (True, False):
                async with show(flags.pages if is_open else 0):
                    await asyncio.sleep(SETTLING_S)
                    found[is_open] = await measure(system, load, flags.period_s)
            rounds.append((found[False], found[True]))
            report(f"round {number + 1}: {found[False]:.0f} µs without, {found[True]:.0f} µs with")
    load.stop()
    await running
    for connection in connections:
        connection.close()
    return rounds


def main() -> int:
    """Measure and print; 0 when the goal is met."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rate", type=float, default=400, help="calls a second")
    parser.add_argument("--period-s", type=float, default=12)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument(
        "--pages", type=int, default=1, help="open pages; more make a small cost visible"
    )
    parser.add_argument("--replay", action="store_true", help="ask as pages do, without them")
    parser.add_argument("--goal", type=float, default=2.0, help="percent a page may add")
    flags = parser.parse_args()
    if not 1 <= flags.pages <= MOST_PAGES:
        parser.error(f"--pages takes 1 to {MOST_PAGES}")
    began_at = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="dashboard-cost.") as name:
        folder = Path(name)
        functions = folder / "functions"
        functions.mkdir()
        for function, source in FUNCTIONS.items():
            (functions / f"{function}.py").write_text(source, encoding="utf-8")
        with running_system(
            folder, functions=functions, environment={"PENSTOCK_LOG_LEVEL": "warning"}
        ) as system:
            rounds = asyncio.run(compare(system, flags))
    without = statistics.median(one for one, _ in rounds)
    added = [(two - one) / flags.pages for one, two in rounds]
    share = statistics.median(added) / without * 100
    spread = statistics.stdev(added) / len(added) ** 0.5 / without * 100 if len(added) > 1 else 0.0
    report(
        f"{flags.rate:.0f} calls/s, {len(rounds)} rounds of 2 periods of {flags.period_s:.0f} s, "
        f"{flags.pages} open page(s), {time.monotonic() - began_at:.0f} s in all\n"
        f"without: {without:.0f} µs of CPU per call; a page adds "
        f"{statistics.median(added):+.1f} µs = {share:+.2f} % (± {spread:.2f}; "
        f"goal: at most {flags.goal} %)"
    )
    return int(share > flags.goal)


if __name__ == "__main__":
    sys.exit(main())
