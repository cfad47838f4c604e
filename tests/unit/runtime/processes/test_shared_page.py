"""SharedPage: what the runner notes there is read by the worker, whatever becomes of the runner."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from runtime.processes.shared_page import NO_SLOT, SLOTS, RunnersPage, SharedPage


@pytest.fixture
def page():
    made = SharedPage.create()
    yield made
    made.close()


@pytest.fixture
def theirs(page):
    return RunnersPage.attach(os.dup(page.fileno()))


def test_nobody_executes_at_first(page):
    assert page.executing() == set()


def test_the_one_on_the_event_loop_is_told_until_it_leaves(page, theirs):
    theirs.enter(7)
    assert page.executing() == {7}

    theirs.leave()

    assert page.executing() == set()


def test_those_in_threads_are_told_beside_it(page, theirs):
    theirs.enter(1)
    slots = [theirs.take_slot(serial) for serial in (2, 3, 2**60)]
    assert page.executing() == {1, 2, 3, 2**60}

    theirs.free_slot(slots[1])

    assert page.executing() == {1, 2, 2**60}


def test_a_slot_is_given_to_one_at_a_time_and_there_are_no_more_than_there_are(page, theirs):
    slots = [theirs.take_slot(serial) for serial in range(1, SLOTS + 1)]

    assert len(set(slots)) == SLOTS
    assert page.executing() == set(range(1, SLOTS + 1))
    assert theirs.take_slot(999) == NO_SLOT
    theirs.free_slot(NO_SLOT)
    theirs.free_slot(slots[0])
    assert theirs.take_slot(999) == slots[0]


def test_a_page_that_the_runner_has_shortened_or_filled_harms_nobody(page, theirs):
    for slot in range(8, 512):
        theirs.cells[slot] = -1
    assert page.executing() == {-1}

    os.ftruncate(page.fileno(), 3)

    assert page.executing() == set()


def test_a_fork_that_is_detached_changes_nothing(page, theirs):
    theirs.enter(1)
    theirs.detach()

    theirs.enter(2)

    assert page.executing() == {1}


def test_no_descriptor_is_left_open(page):
    code = """
import os, sys
from runtime.processes.shared_page import RunnersPage
before = set(os.listdir("/proc/self/fd"))
page = RunnersPage.attach(int(sys.argv[1]))
page.enter(5)
assert before - {sys.argv[1]} >= set(os.listdir("/proc/self/fd")), os.listdir("/proc/self/fd")
"""
    subprocess.run(
        [sys.executable, "-c", code, str(page.fileno())], pass_fds=[page.fileno()], check=True
    )

    assert page.executing() == {5}


def test_a_closed_page_says_nothing(page):
    page.close()
    page.close()

    assert page.executing() == set()
    assert page.fileno() == -1


def test_the_owner_sees_that_the_loop_goes_on(page, theirs):
    assert page.step() == (0, 0)

    theirs.enter(7)
    first = page.step()
    theirs.enter(7)

    assert first == (7, 1)
    assert page.step() == (7, 2)
    os.ftruncate(page.fileno(), 8)
    theirs.cells.release()
    assert page.step() == (0, 0)
