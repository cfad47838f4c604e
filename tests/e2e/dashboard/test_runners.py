"""How full workers and their runners are, as workers tell it; what runs together in a process."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from runtime.store.blocking_connection import BlockingConnection
from runtime.store.invocation_commands import heartbeat, retire_worker
from runtime.worker.description import (
    LoopLag,
    RunnerLoad,
    RunningAttempt,
    WorkerLoad,
    describe_worker,
)
from tests.e2e.dashboard.test_every_view import FAINT

LONG = "pictures.of_a_function_with_a_name_that_is_long_but_allowed"
NAME = "desk-worker-1-2f3a4b5c"
Tell = Callable[..., None]


@pytest.fixture
def report(desk) -> Iterator[Tell]:
    """Be a worker: tell how much lies with each of its runners; it leaves at the end."""
    connection = BlockingConnection(f"unix://{desk.redis_socket}")

    def beat(*runners: RunnerLoad, running: int = 0, details: bytes | None = None) -> None:
        load = WorkerLoad(
            in_flight=sum(runner.in_flight for runner in runners),
            max_in_flight=1000,
            runners=runners,
            loop=LoopLag(lag_ms_max=12.4, lag_ms_mean=1),
        )
        attempts = [
            RunningAttempt(id=f"0192-{n:08}", function=LONG, started_at_ms=1_763_803_800_000 + n)
            for n in range(running)
        ]
        reported = describe_worker(
            queues=("default",),
            running=attempts,
            load=load,
            publishes=False,
            functions={},
            memory_bytes=80_000_000,
        )
        connection.run(
            heartbeat(
                worker=NAME,
                lease_ms=60_000,
                worker_ttl_ms=60_000,
                may_publish=0,
                details=reported if details is None else details,
                held=[],
            )
        )

    yield beat
    connection.run(retire_worker(NAME))
    connection.close()


def runner(pid: int, in_flight: int, *, window: int = 100, function: str = LONG) -> RunnerLoad:
    return RunnerLoad(
        pid=pid, function=function, version="0123456789ab", in_flight=in_flight, window=window
    )


def row(page: Page, pid: int) -> Locator:
    return page.locator("[data-key=runners] tbody tr", has_text=f"{pid}{NAME}")


def worker_row(page: Page) -> Locator:
    return page.locator("#content .panel").first.locator("tr", has_text=NAME)


def test_each_runner_shows_what_lies_with_it_and_is_kept_current(look, report: Tell):
    report(runner(90_001, 37), runner(90_002, 0), runner(90_003, 0, window=1, function=""))
    page = look("/workers")

    expect(row(page, 90_001)).to_contain_text("37 of 100")
    expect(row(page, 90_001).get_by_role("link", name=LONG)).to_be_visible()
    assert row(page, 90_001).locator("progress").evaluate("bar => [bar.value, bar.max]") == [
        37,
        100,
    ]
    expect(row(page, 90_002)).to_contain_text("idle")
    expect(row(page, 90_003)).to_contain_text("none now")
    expect(worker_row(page)).to_contain_text("37 of 1,000")
    expect(worker_row(page)).to_contain_text("12 ms")

    row(page, 90_001).evaluate("row => { row.seen = true; }")
    report(runner(90_001, 90), runner(90_002, 0))

    expect(row(page, 90_001)).to_contain_text("90 of 100")
    assert row(page, 90_001).evaluate("row => row.seen")
    expect(row(page, 90_003)).to_have_count(0)


def test_of_many_attempts_a_few_are_named_and_all_are_counted(look, report: Tell):
    report(*(runner(90_000 + n, 100) for n in range(8)), running=100)

    named = worker_row(look("/workers")).locator("li")

    expect(named).to_have_count(6)
    expect(named.last).to_have_text("795 more")
    expect(named.last.get_by_role("link")).to_have_attribute(
        "href", r"/dashboard/invocations?status=running"
    )


def test_of_many_runners_all_that_are_busy_are_shown(look, report: Tell):
    busy = [runner(90_000 + n, 1) for n in range(70)]
    report(*[runner(91_000 + n, 0) for n in range(30)], *busy)

    panel = look("/workers").locator("[data-key=runners]")

    expect(panel.locator("tbody tr", has_text="1 of 100")).to_have_count(70)
    # Those of the system's own worker may be among them.
    expect(panel).to_contain_text(re.compile(r"and \d\d more idle runners"))


def test_a_worker_of_an_earlier_release_is_shown_without_what_it_does_not_tell(look, report: Tell):
    report(details=b'{"host": "old.example", "pid": 78, "queues": ["default"]}')

    shown = worker_row(look("/workers"))

    expect(shown).to_contain_text("process 78 on old.example")
    expect(shown).to_contain_text("idle")
    expect(shown.locator("[data-name='Loop lag']")).to_have_text("\u2013")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_the_page_fits_and_can_be_read(look, report: Tell, width: int, scheme: str):
    report(runner(90_001, 37), runner(90_002, 0), runner(90_003, 100), running=3)
    page = look("/workers")
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)

    expect(row(page, 90_001)).to_contain_text("37 of 100")

    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for frame in page.locator(".table-frame:visible").all():
        assert frame.evaluate("frame => frame.scrollWidth <= frame.clientWidth")
    assert page.evaluate(FAINT) == []


@pytest.mark.parametrize(
    ("function", "said"),
    [
        ("desk.listen", "100 at once"),
        ("desk.fetch", "20 at once"),
        ("desk.count", "one at a time"),
        ("desk.near", None),
    ],
)
def test_a_function_says_how_many_run_in_one_process(look, function: str, said: str | None):
    facts = look(f"/functions/{function}").locator(".facts > div", has_text="Per process")

    if said is None:
        expect(facts).to_have_count(0)
    else:
        expect(facts).to_contain_text(said)
