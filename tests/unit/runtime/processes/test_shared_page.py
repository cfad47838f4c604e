"""The page in which a runner notes whose code it executes, as the worker reads it."""

from __future__ import annotations

import os

import pytest

from runtime.processes.shared_page import NO_SLOT, SLOTS, RunnersPage, SharedPage


@pytest.fixture
def ends():
    page = SharedPage.create()
    yield page, RunnersPage.attach(os.dup(page.fileno()))
    page.close()


def test_the_owner_sees_who_is_in_the_loop_and_in_threads(ends):
    page, runners = ends
    runners.enter(7)
    slots = [runners.take_slot(serial) for serial in (8, 9)]
    assert page.executing() == {7, 8, 9}

    runners.leave()
    runners.free_slot(slots[0])

    assert page.executing() == {9}


def test_the_owner_sees_that_the_loop_goes_on(ends):
    page, runners = ends
    assert page.step() == (0, 0)

    runners.enter(7)
    first = page.step()
    runners.enter(7)

    assert first == (7, 1)
    assert page.step() == (7, 2)


def test_slots_may_run_out(ends):
    page, runners = ends

    slots = [runners.take_slot(serial) for serial in range(1, SLOTS + 2)]

    assert slots[-1] == NO_SLOT
    assert len(page.executing()) == SLOTS


@pytest.mark.parametrize("size", [0, 3, 8, 20])
def test_a_page_that_was_made_shorter_says_less_and_harms_nobody(ends, size):
    page, runners = ends
    runners.enter(7)
    runners.cells.release()

    os.ftruncate(page.fileno(), size)

    assert page.executing() == ({7} if size >= 8 else set())
    assert page.step() == ((7, 1) if size >= 16 else (0, 0))


def test_a_page_that_is_closed_says_nothing(ends):
    page, runners = ends
    runners.enter(7)

    page.close()
    page.close()

    assert (page.executing(), page.step()) == (set(), (0, 0))
