"""However much has piled up, no script does all of it, and none does half of anything."""

from __future__ import annotations

import pytest

from runtime.store.system_commands import read_queues
from tests.support.life import Life

MOST_ENDED = 200


def end_of(life: Life, ids: list[str]) -> tuple[set[str], int, int]:
    statuses = {life.read(one).status.value for one in ids}
    listed = life.command("ZCARD", life.key("index", "end:expired"))
    return statuses, listed, life.command("ZCARD", life.key("retention"))


@pytest.mark.parametrize("functions", [("f",), ("a", "b", "c")])
@pytest.mark.parametrize("keys", [1, 700])
def test_thousands_that_expired_end_in_parts_and_whole(
    life: Life, functions: tuple[str, ...], keys: int
):
    old = [
        life.submit(functions[at % len(functions)], key=str(at % keys), max_age_ms=1)
        for at in range(4_500)
    ]
    live = life.submit(functions[0], key=str(4_500 % keys))

    claims = 0
    expired: list[str] = []
    started: list[str] = []
    while (claim := life.claim(4)).remaining_lanes or claim.expired:
        claims += 1
        assert len(claim.expired) <= MOST_ENDED
        assert not claim.remaining_lanes or life.command("LLEN", life.key("wake", "default")) == 1
        expired += claim.expired
        started += [item.id for item in claim.items]
    started += [item.id for item in claim.items]

    assert claims > 4_500 / MOST_ENDED
    assert sorted(expired) == sorted(old)
    assert started == [live]
    assert end_of(life, old[::450]) == ({"expired"}, 4_500, 4_500)
    [queue] = life.connection.run(read_queues())
    assert (queue.waiting, queue.running) == (0, 1)


def test_a_restart_after_an_outage_takes_over_in_parts(life: Life):
    for _ in range(350):
        life.submit()
    while items := life.claim(100).items:
        for item in items:
            life.command("ZADD", life.key("leases"), 1, item.id)

    parts = [len(life.beat(worker="other").taken_over) for _ in range(4)]

    assert parts == [100, 100, 100, 50]
    assert len(life.claim(1_000).items) == 350
