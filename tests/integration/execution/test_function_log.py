"""`ctx.log` stands in the call's log, whatever is done to the logging module."""

from __future__ import annotations

import logging
import sys

import pytest

from tests.integration.execution.written import write

SOURCE = """
import io, logging, logging.config, sys
from penstock import Context
CONSOLE = {{"version": 1, "handlers": {{"out": {{"class": "logging.StreamHandler"}}}},
           "root": {{"level": "INFO", "handlers": ["out"]}}}}
def configure():
    {how}
{at_import}
def f(*, ctx: Context):
    {in_call}
    ctx.log.info("by %s", "ctx.log")
    logging.getLogger("mine").warning("by a logger")
"""
WAYS = {
    "dictConfig": "logging.config.dictConfig(CONSOLE)",
    "dictConfig of a quiet root": "logging.config.dictConfig({'version': 1})",
    "disable": "logging.disable(logging.CRITICAL)",
    "basicConfig": "logging.basicConfig(force=True, level=logging.ERROR, format='%(message)s')",
    "level of the root": "logging.getLogger().setLevel(logging.CRITICAL)",
    "disabled by name": "logging.getLogger('penstock.function').disabled = True",
    "no handlers": "logging.getLogger().handlers.clear()",
    "replaced stream": "sys.stderr = sys.stdout = io.StringIO()",
}


@pytest.fixture
def own_logging(monkeypatch):
    """Undo what a function does to the logging and the streams of this process."""
    for name in ("level", "disabled"):
        monkeypatch.setattr(logging.root, name, getattr(logging.root, name))
    monkeypatch.setattr(logging.root, "handlers", list(logging.root.handlers))
    monkeypatch.setattr(logging.root.manager, "disable", logging.root.manager.disable)
    monkeypatch.setattr(logging.getLogger("penstock.function"), "disabled", False)
    for name in ("stdout", "stderr"):
        monkeypatch.setattr(sys, name, getattr(sys, name))


@pytest.mark.usefixtures("own_logging")
@pytest.mark.parametrize("isolation", ["process", "thread"])
@pytest.mark.parametrize("when", ["at_import", "in_call"])
@pytest.mark.parametrize("way", WAYS)
def test_what_ctx_log_tells_is_heard_once(bench, way, when, isolation):
    source = SOURCE.format(
        how=WAYS[way],
        at_import="configure()" if when == "at_import" else "",
        in_call="configure()" if when == "in_call" else "pass",
    )

    logs = [bench.run(write(source, isolation=isolation)).logs for _ in range(2)]

    assert [log.count(b"by ctx.log") for log in logs] == [1, 1]


def test_other_handlers_of_the_root_hear_ctx_log_too(bench, tmp_path):
    file = tmp_path / "own.log"
    written = write(
        f"""
        import logging
        from penstock import Context
        logging.getLogger().addHandler(logging.FileHandler({str(file)!r}))
        def f(*, ctx: Context): ctx.log.info("told")
        """
    )

    logs = bench.run(written).logs

    assert logs == b"INFO penstock.function: told\n"
    assert file.read_text() == "told\n"


def test_the_author_chooses_what_is_worth_telling(bench):
    written = write(
        """
        import logging
        from penstock import Context
        def f(*, ctx: Context):
            ctx.log.debug("not told")
            ctx.log.setLevel(logging.DEBUG)
            ctx.log.debug("told")
        """
    )

    assert bench.run(written).logs == b"DEBUG penstock.function: told\n"
