"""Whom a request may be for, where nobody is asked for a key."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.serving.allowed_hosts import AllowedHosts
from gateway.serving.limits import ConnectionLimits
from gateway.serving.request_parser import RequestParser
from gateway.startup_checks import expected_hosts
from runtime.settings import Settings

HOSTS = AllowedHosts(["127.0.0.1", "penstock.example", "2001:db8::7"])
OURS = [
    *("localhost", "LOCALHOST:8000", "127.0.0.1", "127.0.0.1:8000", "127.255.3.4:1", "[::1]"),
    *("[::1]:65535", "[0:0:0:0:0:0:0:1]", "[::ffff:7f00:1]", "localhost:", "penstock.example"),
    *("Penstock.Example:443", "[2001:db8::7]:80"),
]
FOREIGN = [
    *("evil.example", "evil.example:8000", "localhost.evil.example", "evil-localhost"),
    *("127.0.0.1.evil.example", "127.1", "2130706433", "0x7f.1", "0", "0.0.0.0", "[::]"),
    *("a@localhost", "localhost@evil.example", "localhost:8000:80", "localhost:x", "localhost/"),
    *("[::1", "::1", "[::1]x", "[127.0.0.1]", "localhost, evil.example", "local\x00host", "\xff"),
    *("www.penstock.example", "[2001:db8::8]", "169.254.169.254", "localhost\t", "evil#localhost"),
    *("localhost.", "10.0.0.1", ""),
]


class Owner:
    """Owns a parser, and keeps the paths it hears of."""

    def __init__(self) -> None:
        self.paths: list[str] = []

    def on_head(self, scope: dict[str, Any], *, keep_alive: bool, expects_continue: bool) -> None:
        del keep_alive, expects_continue
        self.paths.append(scope["path"])

    def on_piece(self, data: bytes) -> None:
        del data

    def on_end(self) -> None:
        pass


def parse_request(data: bytes) -> tuple[list[str], str | None]:
    """Return which paths were heard of, and the code of the refusal."""
    owner = Owner()
    parser = RequestParser(owner, ConnectionLimits(), HOSTS)
    parser.feed(data)
    return owner.paths, parser.refusal.code if parser.refusal else None


@pytest.mark.parametrize("host", OURS)
def test_our_own_names_are_accepted_with_any_port(host: str):
    assert HOSTS.accept(host.encode())
    assert HOSTS.accept(host.encode())


@pytest.mark.parametrize("host", FOREIGN)
def test_every_other_name_is_refused(host: str):
    assert not HOSTS.accept(host.encode("latin-1"))
    assert not HOSTS.accept(host.encode("latin-1"))


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"GET /a HTTP/1.1\r\nHost: localhost\r\n\r\n", None),
        (b"GET /a HTTP/1.1\r\nHost: evil.example\r\n\r\n", "misdirected_request"),
        (b"GET /a HTTP/1.0\r\nHost: localhost\r\n\r\n", None),
        (b"GET /a HTTP/1.0\r\n\r\n", "misdirected_request"),
        (b"GET /a HTTP/1.0\r\nHost: localhost\r\nHost: evil\r\n\r\n", "malformed_request"),
        (b"GET http://localhost:1/a HTTP/1.1\r\nHost: localhost\r\n\r\n", None),
        (b"GET http://[::1]:1/a HTTP/1.1\r\nHost: [::1]\r\n\r\n", None),
        (b"GET http://evil.example/a HTTP/1.1\r\nHost: localhost\r\n\r\n", "misdirected_request"),
        (b"GET http://localhost/a HTTP/1.1\r\nHost: evil.example\r\n\r\n", "misdirected_request"),
        (b"GET http://localhost@evil/a HTTP/1.1\r\nHost: localhost\r\n\r\n", "misdirected_request"),
        (
            b"GET /a HTTP/1.1\r\nHost: evil\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
            "misdirected_request",
        ),
    ],
)
def test_every_way_to_name_a_host_is_judged(head: bytes, expected: str | None):
    paths, refusal = parse_request(head)

    assert refusal == expected
    assert paths == ([] if expected else ["/a"])


def test_nothing_behind_a_foreign_request_is_read():
    ours, foreign = (
        b"GET /%b HTTP/1.1\r\nHost: %b\r\n\r\n" % pair
        for pair in [
            (b"ours", b"localhost"),
            (b"foreign", b"evil.example"),
        ]
    )

    assert parse_request(ours + foreign + ours) == (["/ours"], "misdirected_request")


@pytest.mark.parametrize(
    ("settings", "accepted", "refused"),
    [
        (Settings(), ["localhost", "127.0.0.1"], ["evil.example"]),
        (Settings(host="::1"), ["[::1]"], ["evil.example"]),
        (Settings(host="localhost", auth="off"), ["localhost"], ["evil.example"]),
        (Settings(public_url="https://me.example:444/x"), ["me.example"], ["x", "me.example.x"]),
    ],
)
def test_an_open_gateway_on_loopback_has_its_names(
    settings: Settings, accepted: list[str], refused: list[str]
):
    hosts = expected_hosts(settings)

    assert hosts is not None
    assert all(hosts.accept(host.encode()) for host in accepted)
    assert not any(hosts.accept(host.encode()) for host in refused)


@pytest.mark.parametrize(
    "settings",
    [Settings(auth="required"), Settings(host="0.0.0.0"), Settings(host="0.0.0.0", auth="off")],
)
def test_where_keys_are_asked_for_or_names_cannot_be_known_none_is_judged(settings: Settings):
    assert expected_hosts(settings) is None
