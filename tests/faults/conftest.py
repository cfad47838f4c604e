"""Every scenario gets a row; a whole run writes the page, a part of one replaces its rows."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from tests.faults.reliability_table import Row, replace_rows, write_page

HERE = Path(__file__).parent
ROWS = pytest.StashKey[list[Row]]()
FAILURE = pytest.StashKey[str]()
BEGAN_S = pytest.StashKey[float]()
_LONGEST_FAILURE = 200


@pytest.fixture(autouse=True)
def row(request: pytest.FixtureRequest) -> Iterator[Row]:
    """The row of this scenario; it holds if the test does."""
    row = Row(scenario=request.node.name)
    yield row
    row.failure = request.node.stash.get(FAILURE, "")
    row.passed = not row.failure
    config = request.config
    config.stash.setdefault(ROWS, []).append(row)
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None and request.node.get_closest_marker("faults"):
        reporter.write_line(f"\n{row.render()}")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[BEGAN_S] = time.monotonic()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed and call.excinfo is not None:
        text = str(call.excinfo.value).partition("\n")[0] or call.excinfo.typename
        item.stash.setdefault(FAILURE, text[:_LONGEST_FAILURE])
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    config = session.config
    rows = config.stash.get(ROWS, [])
    scenarios = [item for item in session.items if HERE in item.path.parents]
    if not rows or config.option.markexpr != "faults":
        return
    if _is_whole(config) and len(rows) == len(scenarios):
        write_page(rows, took_s=time.monotonic() - config.stash[BEGAN_S])
    else:
        replace_rows(rows)


def _is_whole(config: pytest.Config) -> bool:
    """Whether every scenario was asked for, and in its full length."""
    chosen = [(Path.cwd() / argument.partition("::")[0]).resolve() for argument in config.args]
    return (
        config.option.markexpr == "faults"
        and not config.option.keyword
        and not config.getoption("lf", default=False)
        and any("::" not in a for a in config.args)
        and any(path == HERE or path in HERE.parents for path in chosen)
    )
