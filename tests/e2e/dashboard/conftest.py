"""A system to look at, and a real browser that can reach nothing else."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.support.receiver import receiving
from tests.support.system import System, running_system

FUNCTIONS = Path(__file__).parent / "functions"
QUICK = {
    "PENSTOCK_LEASE_MS": "1500",
    "PENSTOCK_HEARTBEAT_MS": "300",
    "PENSTOCK_RUNNERS": "4",
}
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]

Open = Callable[..., Page]


@pytest.fixture(scope="session")
def listed_page() -> Iterator[str]:
    """A page of another origin, which the desk's setting lists."""
    with receiving() as server:
        yield server.url("/ok")


@pytest.fixture(scope="session")
def desk(tmp_path_factory: pytest.TempPathFactory, listed_page: str) -> Iterator[System]:
    """A system with functions for those who look; workers are noticed missing within seconds."""
    folder = tmp_path_factory.mktemp("desk")
    functions = shutil.copytree(FUNCTIONS, folder / "functions")
    environment = {**QUICK, "PENSTOCK_CORS_ORIGINS": listed_page.removesuffix("/ok")}
    with running_system(folder, functions=functions, environment=environment) as running:
        yield running


@pytest.fixture(scope="module")
def browser(request: pytest.FixtureRequest) -> Iterator[Browser]:
    # Ended with each file: while it lives, an event loop runs in this thread, and tests of
    # other folders start their own.
    named = request.config.getoption("chromium")
    program = named or shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        pytest.skip("no chromium installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def shared_context(browser: Browser) -> Iterator[BrowserContext]:
    """One profile for all tests that change nothing in it, so that files are fetched once."""
    context = new_context(browser)
    yield context
    context.close()


@pytest.fixture
def own_context(browser: Browser) -> Iterator[BrowserContext]:
    context = new_context(browser)
    yield context
    context.close()


def new_context(browser: Browser) -> BrowserContext:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(10_000)
    return context


@pytest.fixture
def look(shared_context: BrowserContext, desk: System) -> Iterator[Open]:
    """Open views of the dashboard; whatever the browser complains of fails the test."""
    complaints: list[str] = []
    pages: list[Page] = []

    def note(message: Any) -> None:
        # Answers that refuse are told by the page itself; the browser only repeats them.
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            complaints.append(message.text)

    def open_view(
        view: str = "", *, of: System = desk, within: BrowserContext = shared_context
    ) -> Page:
        page = within.new_page()
        pages.append(page)
        page.on("console", note)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(f"{of.base_url}/dashboard{view}")
        page.wait_for_selector("#content h1")
        return page

    yield open_view
    for page in pages:
        page.close()
    assert complaints == []
