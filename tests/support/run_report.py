"""What a test run tells at its end: its ten slowest files, and what passed only when repeated.

`make test` runs what failed once more, alone, with `--repeated`. Whatever passes then depends on
chance or on other tests, which is a fault of the test or of the code: it is named, and the run
still fails.
"""

from __future__ import annotations

from collections import Counter

import pytest

SHOWN = 10
_ENDED = ("passed", "failed", "error", "skipped", "xfailed", "")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let `make test` say that a run repeats what failed."""
    parser.addoption(
        "--repeated",
        action="store_true",
        help="name what passes as a fault: it failed beside other tests; the run fails",
    )


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A repeated run never ends green."""
    if session.config.getoption("repeated") and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Print both lists behind pytest's own summary."""
    slowest = seconds_by_file(terminalreporter).most_common(SHOWN)
    if slowest and not config.getoption("repeated"):
        terminalreporter.section("slowest files")
        for name, seconds in slowest:
            terminalreporter.write_line(f"{seconds:8.1f} s  {name}")
    passed = [report.nodeid for report in terminalreporter.stats.get("passed", [])]
    if passed and config.getoption("repeated"):
        terminalreporter.section("failed beside other tests, passed alone", red=True)
        for name in passed:
            terminalreporter.write_line(name)
        terminalreporter.write_line(
            "Each of these is a fault. Find its cause; this run has failed."
        )


def seconds_by_file(terminalreporter: pytest.TerminalReporter) -> Counter[str]:
    """Seconds spent in the tests and fixtures of each file."""
    spent: Counter[str] = Counter()
    for kind in _ENDED:
        for report in terminalreporter.stats.get(kind, []):
            if isinstance(report, pytest.TestReport):
                spent[report.nodeid.partition("::")[0]] += report.duration  # type: ignore[assignment]
    return spent
