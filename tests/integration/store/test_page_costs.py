"""A page of a list costs the same however long the history is."""

from __future__ import annotations

import pytest

from runtime.invocations.ids import new_invocation_id
from runtime.invocations.listing import Filters, list_invocations
from runtime.invocations.status import Status
from runtime.store.submission_commands import commit_batch, join_batch, stage_batch
from tests.support.life import Life


@pytest.fixture
def life(connection) -> Life:
    return Life(connection)


def add(life: Life, count: int) -> None:
    batch = new_invocation_id()
    for start in range(0, count, 500):
        entries = [(new_invocation_id(), b"{}") for _ in range(min(500, count - start))]
        call = stage_batch(
            batch=batch, function="f", queue="default", version="v", entries=entries, tags=("t",)
        )
        life.connection.run(call)
    commit = commit_batch(batch=batch, size=count)
    while life.connection.run(commit).reception == "PART":
        pass
    while life.connection.run(join_batch(batch)):
        pass


def commands(life: Life) -> int:
    lines = life.command("INFO", "stats").decode().splitlines()
    [count] = [line for line in lines if line.startswith("total_commands_processed:")]
    return int(count.partition(":")[2])


def cost(life: Life, filters: Filters, after: tuple[str, ...]) -> tuple[int, tuple[str, ...]]:
    """How many commands Redis runs for a page, those of the script included."""
    before = commands(life)
    page = life.connection.run(list_invocations(filters, after=after, most=20))
    assert len(page.records) == 20
    assert page.next is not None
    return commands(life) - before, page.next


@pytest.mark.parametrize(
    "filters",
    [
        Filters(),
        Filters(function="f"),
        Filters(tag="t"),
        Filters(function="f", tag="t"),
        Filters(statuses=(Status.QUEUED,)),
        Filters(function="f", statuses=(Status.QUEUED, Status.RETRYING)),
    ],
)
def test_a_page_costs_the_same_at_any_depth_of_any_history(life: Life, filters: Filters):
    add(life, 100)
    short, _ = cost(life, filters, ())
    add(life, 10_000)

    costs = []
    after: tuple[str, ...] = ()
    for _ in range(20):
        spent, after = cost(life, filters, after)
        costs.append(spent)

    assert short > 20
    assert max(costs) <= short + 2


@pytest.mark.parametrize("status", [Status.QUEUED, Status.SCHEDULED, Status.RUNNING])
def test_a_page_costs_the_same_whatever_the_number_of_keys(life: Life, status: Status):
    filters = Filters(function="f", statuses=(status,))

    def fill(count: int) -> None:
        for number in range(count):
            life.submit(key=f"k{number}", delay_ms=60_000 if status is Status.SCHEDULED else 0)
        if status is Status.RUNNING:
            life.claim(count)

    fill(60)
    few, _ = cost(life, filters, ())
    fill(2_000)
    many, after = cost(life, filters, ())
    later, _ = cost(life, filters, after)

    assert max(many, later) <= few + 3
