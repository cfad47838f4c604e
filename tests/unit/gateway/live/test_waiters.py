"""Waiters: told once, never left behind, and ended together."""

from __future__ import annotations

import asyncio

import pytest

from gateway.live.waiters import Waiters, wait_for
from runtime.invocations.ids import new_invocation_id
from runtime.invocations.record import Record
from runtime.invocations.status import Status

ID = new_invocation_id()


def run_scenario(scenario):
    return asyncio.run(scenario())


def record_with(status: Status) -> Record:
    return Record(id=ID, function="f", version="v", status=status, queue="default", created_at_ms=1)


def test_all_who_wait_for_an_id_get_its_notice():
    async def scenario():
        waiters = Waiters()
        with waiters.expect(ID) as one, waiters.expect(ID) as two:
            waiters.notify(ID.encode() + b"\nrest")
            return await wait_for(one, 1), await wait_for(two, 1)

    assert run_scenario(scenario) == (ID.encode() + b"\nrest",) * 2


def test_a_notice_for_somebody_else_or_nobody_changes_nothing():
    async def scenario():
        waiters = Waiters()
        waiters.notify(b"\xff garbage")
        with waiters.expect(ID) as arrival:
            waiters.notify(new_invocation_id().encode() + b"\n")
            return await wait_for(arrival, 0.01)

    assert run_scenario(scenario) is None


def test_who_gives_up_is_forgotten():
    async def scenario():
        waiters = Waiters()
        looked_up = []

        async def read_records(ids):
            looked_up.extend(ids)
            return [None for _ in ids]

        with waiters.expect(ID) as arrival:
            assert len(waiters) == 1
            await wait_for(arrival, 0)
        await waiters.look_again(read_records)  # of all that it remembers
        return len(waiters), looked_up

    assert run_scenario(scenario) == (0, [])


def test_who_is_cancelled_is_forgotten():
    async def scenario():
        waiters = Waiters()

        async def wait_for_ever():
            with waiters.expect(ID) as arrival:
                await wait_for(arrival, 60)

        task = asyncio.create_task(wait_for_ever())
        await asyncio.sleep(0)
        assert len(waiters) == 1
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return len(waiters)

    assert run_scenario(scenario) == 0


@pytest.mark.parametrize(("status", "found"), [(Status.SUCCEEDED, True), (Status.RUNNING, False)])
def test_looking_again_tells_what_has_finished_meanwhile(status, found):
    async def scenario():
        waiters = Waiters()

        async def read_records(ids):
            return [record_with(status) for _ in ids]

        with waiters.expect(ID) as arrival:
            await waiters.look_again(read_records)
            return await wait_for(arrival, 0)

    assert (run_scenario(scenario) is not None) is found


def test_draining_ends_every_wait_and_those_to_come():
    async def scenario():
        waiters = Waiters()
        with waiters.expect(ID) as arrival:
            waiters.drain()
            assert await wait_for(arrival, 60) is None
        with waiters.expect(ID) as late:
            return await wait_for(late, 60)

    assert run_scenario(scenario) is None
