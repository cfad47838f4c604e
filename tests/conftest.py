"""Fixtures every suite may use: a real Redis of our own; and the report of a run."""

from __future__ import annotations

import functools
import signal
import ssl
from typing import TYPE_CHECKING, Any

import certifi
import hypothesis
import pytest
import structlog

from runtime.store.blocking_connection import BlockingConnection
from runtime.store.scripts import Command
from tests.support.receiver import Receiver, receiving
from tests.support.redis_server import own_redis

if TYPE_CHECKING:
    from collections.abc import Iterator


pytest_plugins = ("tests.support.run_report",)
# How fast inputs are made says how busy the machine is, and nothing of what is tested.
hypothesis.settings.register_profile(
    "busy", suppress_health_check=[hypothesis.HealthCheck.too_slow], deadline=None
)
hypothesis.settings.load_profile("busy")
# Some tests configure the logs of their own process. A logger that is used then would keep that
# configuration, and `capture_logs` of a later test would not see what it says.
_configure = structlog.configure


def _configure_without_cache(**options: Any) -> None:
    _configure(**{**options, "cache_logger_on_first_use": False})


structlog.configure = _configure_without_cache
# httpx reads the certificates of every authority for each client and each call without one, which
# takes 25 ms of processor time. Nothing changes what they trust, so that all may share it.
_create_context = ssl.create_default_context
_create_once = functools.cache(_create_context)
_AUTHORITIES = (certifi.where(), ssl.get_default_verify_paths().cafile)


def _create_or_share_context(*words: Any, **options: Any) -> ssl.SSLContext:
    if not words and list(options) == ["cafile"] and options["cafile"] in _AUTHORITIES:
        return _create_once(cafile=options["cafile"])
    return _create_context(*words, **options)


ssl.create_default_context = _create_or_share_context
# A background job of a shell ignores SIGINT, and so would every process that a test interrupts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let `make test-browsers` name another browser than the installed one."""
    parser.addoption("--chromium", help="the Chromium that opens pages (the installed one)")


@pytest.fixture(scope="session")
def redis_server_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with own_redis(tmp_path_factory.mktemp("redis")) as url:
        yield url


@pytest.fixture
def redis_url(redis_server_url: str) -> str:
    """An empty Redis of our own; safe to flush because we started it."""
    connection = BlockingConnection(redis_server_url)
    connection.run(Command(("FLUSHALL",), lambda reply: reply))
    connection.close()
    return redis_server_url


@pytest.fixture
def connection(redis_url: str) -> Iterator[BlockingConnection]:
    """A blocking connection to that empty Redis."""
    made = BlockingConnection(redis_url)
    yield made
    made.close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver of callbacks of a test's own."""
    with receiving() as running:
        yield running
