"""The listening socket and the addresses told to people."""

from __future__ import annotations

import pytest

from gateway.cli.errors import CommandError
from gateway.cli.up.listener import open_listener, url_of
from gateway.startup_checks import is_loopback


def test_port_zero_takes_a_free_one():
    with open_listener("127.0.0.1", 0) as listener:
        assert listener.getsockname()[1] > 0


def test_a_taken_port_is_told_in_a_sentence():
    with open_listener("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]

        with pytest.raises(CommandError, match=f"port {port} of 127.0.0.1: it is already in use"):
            open_listener("127.0.0.1", port)


def test_a_name_that_is_no_address_is_told_in_a_sentence():
    with pytest.raises(CommandError, match="not an address to listen on"):
        open_listener("no host at all", 0)


@pytest.mark.parametrize(
    ("host", "expected"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("localhost", True), ("::1", True),
     ("0.0.0.0", False), ("::", False), ("10.1.2.3", False), ("no host", False)],
)  # fmt: skip
def test_loopback_is_told_from_what_others_can_reach(host, expected):
    assert is_loopback(host) is expected


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000"),
        ("0.0.0.0", "http://127.0.0.1:8000"),
        ("::", "http://[::1]:8000"),
        ("example.org", "http://example.org:8000"),
    ],
)
def test_the_address_told_is_one_that_can_be_called(host, expected):
    assert url_of(host, 8000) == expected
