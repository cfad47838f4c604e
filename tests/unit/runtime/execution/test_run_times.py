"""RunTimes: a window is as large as the last runs of a function were short."""

from __future__ import annotations

from runtime.execution.prefetch import window_of
from runtime.execution.run_times import QUICK_S, RunTimes


def run_times_after(*ran_s):
    run_times = RunTimes()
    for each in ran_s:
        run_times.note("f", "v", each)
    return run_times


def window(*ran_s):
    return window_of(run_times_after(*ran_s), "f", "v", 1)


def test_a_window_grows_as_a_function_proves_quick_up_to_a_limit():
    assert [window(*[0.00001] * times) for times in (0, 3, 6, 12, 50)] == [1, 1, 2, 4, 32]


def test_a_slow_run_closes_the_window_and_quick_ones_open_it_again():
    assert window(*[0.00001] * 50, 0.1) == 1
    assert window(*[0.00001] * 50, 0.1, *[0.00001] * 60) == 32


def test_a_run_that_a_busy_machine_has_held_up_counts_little():
    assert window(*[0.00001] * 50, QUICK_S) > 4


def test_what_lies_in_a_window_is_expected_to_end_within_a_millisecond():
    assert window(*[QUICK_S / 4.5] * 80) == 4
    assert window(*[QUICK_S * 0.9] * 80) == 1


def test_a_window_is_as_large_as_what_may_run_at_the_same_time():
    assert window_of(run_times_after(0.1), "f", "v", 100) == 100


def test_the_mean_of_a_function_that_has_not_run_is_unknown():
    run_times = run_times_after(*[0.25] * 80)

    assert abs(run_times.mean_s("f", "v") - 0.25) < 0.001
    assert run_times.mean_s("f", "w") is None
    assert run_times.mean_s("g", "v") is None


def test_functions_are_forgotten_when_they_are_many():
    run_times = run_times_after(*[0.00001] * 50)

    for number in range(20_000):
        run_times.note("g", str(number), 0.00001)

    assert run_times.mean_s("f", "v") is None
    known = [run_times.mean_s("g", str(number)) for number in range(20_000)]
    assert sum(mean_s is not None for mean_s in known) <= 10_000
