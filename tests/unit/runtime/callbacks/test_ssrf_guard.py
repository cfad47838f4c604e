"""The address guard: every trick known, by the system's own resolver where it can answer."""

from __future__ import annotations

import asyncio
import ipaddress
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.callbacks.resolver import Resolver
from runtime.callbacks.ssrf_guard import (
    REFUSED,
    Policy,
    is_global_unicast,
    parse_policy,
    parse_target,
    resolve_allowed,
)
from runtime.errors import CallbackAddressError, SettingsError
from tests.support.callback_urls import check_url
from tests.unit.runtime.callbacks.resolving import resolving_to

STRICT = Policy()
PUBLIC = "93.184.215.14"


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "2130706433",
        "0x7f.1",
        "0x7f000001",
        "127.1",
        "0177.0.0.1",
        "①②⑦.⓪.⓪.①",
        "127。0。0。1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[0:0:0:0:0:0:0:1]",
        "[::127.0.0.1]",
        "[::]",
        "0.0.0.0",
        "0",
        "10.0.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "169.254.169.254",
        "[fe80::1]",
        "[fc00::1]",
        "[fd00:ec2::254]",
        "100.64.0.1",
        "100.100.100.200",
        "198.18.0.1",
        "192.0.0.192",
        "192.0.2.1",
        "198.51.100.1",
        "203.0.113.1",
        "168.63.129.16",
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
        "[ff02::1]",
        "[64:ff9b::7f00:1]",
        "[64:ff9b:1::1]",
        "[2002:7f00:1::]",
        "[2001:0:7f00:1::]",
        "[2001:db8::1]",
        "[3fff::1]",
        "[100::1]",
        "[fec0::1]",
        "[::ffff:8.8.8.8]",
    ],
)
def test_what_is_not_global_unicast_is_refused(host: str):
    with pytest.raises(CallbackAddressError, match=REFUSED):
        check_url(f"http://{host}/", STRICT)


@pytest.mark.parametrize("host", ["8.8.8.8", "1.1.1.1", "[2606:4700:4700::1111]"])
def test_a_global_address_is_allowed(host: str):
    judged = check_url(f"https://{host}/x", STRICT)

    assert judged.addresses == (host.strip("[]"),)
    assert judged.target.port == 443


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("ftp://example.com/", "https:// or http://"),
        ("//example.com/", "https:// or http://"),
        ("javascript:alert(1)", "https:// or http://"),
        ("", "https:// or http://"),
        ("http://", "no host"),
        ("http:///path", "no host"),
        ("http://:80/", "no host"),
        ("http://user@example.com/", "user info"),
        ("http://user:word@example.com/", "user info"),
        ("http://example.com@127.0.0.1/", "user info"),
        ("http://example.com:0/", "host or port"),
        ("http://example.com:/", "host or port"),
        ("http://example.com:65536/", "host or port"),
        ("http://example.com:-1/", "host or port"),
        ("http://example.com:8o/", "host or port"),
        ("http://[::1", "host or port"),
        ("http://[::1%25lo]/", "host or port"),
        ("http://[v1.x]/", "host or port"),
        ("http://exa%6dple.com/", "host or port"),
        ("http://exa mple.com/", "white space"),
        ("http://example.com/\r\nX-Evil: 1", "white space"),
        ("http://example.com/\x00", "white space"),
        ("http://example.com\\@127.0.0.1/", "backslash"),
        ("http://example.com/\u2028", "white space"),
        ("http://example.com/\ud800", "white space"),
        (" http://example.com/", "white space"),
        ("http://..example.com/", "host or port"),
        ("http://" + "a" * 64 + ".com/", "host or port"),
        ("http://example.com/" + "a" * 2030, "longer than 2048"),
    ],
)
def test_a_malformed_address_is_refused_with_what_is_wrong(url: str, says: str):
    with pytest.raises(CallbackAddressError, match=says):
        check_url(url, STRICT, resolve=resolving_to(PUBLIC))


def test_2048_characters_are_not_too_long():
    url = "http://example.com/"

    assert parse_target(url + "a" * (2048 - len(url)))


@pytest.mark.parametrize(
    ("url", "authority", "path"),
    [
        ("HTTP://Example.COM", "example.com", "/"),
        ("https://example.com:443/a?b=c#d", "example.com", "/a?b=c"),
        ("http://example.com:443/a", "example.com:443", "/a"),
        ("http://[2606:4700::1111]:81?x", "[2606:4700::1111]:81", "/?x"),
        ("http://bücher.example/", "xn--bcher-kva.example", "/"),
    ],
)
def test_a_target_knows_its_host_header_and_path(url: str, authority: str, path: str):
    target = parse_target(url)

    assert (target.authority, target.path) == (authority, path)


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("http://a.example/ü", "/%C3%BC"),
        ("http://a.example/日本/x?q=é&r=%C3%BC#ü", "/%E6%97%A5%E6%9C%AC/x?q=%C3%A9&r=%C3%BC"),
        ("http://a.example?ü", "/?%C3%BC"),
        ("http://bücher.example:81/%41~ü[]{}|", "/%41~%C3%BC[]{}|"),
        ("http://a.example/%C3%BC", "/%C3%BC"),
    ],
)
def test_what_is_not_ascii_is_sent_as_the_utf_8_that_was_written(url: str, path: str):
    target = parse_target(url)

    assert target.path == path
    assert parse_target(target.url).path == path
    assert target.url.isascii() or "bücher" in target.url


def test_every_address_of_a_name_must_pass():
    with pytest.raises(CallbackAddressError, match=REFUSED):
        check_url("http://mixed.example/", STRICT, resolve=resolving_to(PUBLIC, "10.0.0.1"))


def test_a_name_without_addresses_is_refused():
    with pytest.raises(CallbackAddressError, match=REFUSED):
        check_url("http://empty.example/", STRICT, resolve=resolving_to())


def test_loopback_passes_only_where_it_is_allowed():
    allowed = Policy(allow_loopback=True)

    for host in ("127.0.0.1", "127.1", "[::1]", "[::ffff:127.0.0.1]", "localhost"):
        assert check_url(f"http://{host}:8000/", allowed)
    for host in ("0.0.0.0", "10.0.0.1", "[::127.0.0.1]", "169.254.169.254"):
        with pytest.raises(CallbackAddressError):
            check_url(f"http://{host}/", allowed)


def test_an_operator_can_allow_networks_and_names():
    policy = parse_policy(("10.1.0.0/16", "fd00::/8", "hooks.internal"), allow_loopback=False)

    assert check_url("http://10.1.2.3/", policy)
    assert check_url("http://[::ffff:10.1.2.3]/", policy)
    assert check_url("http://[fd00::1]/", policy)
    assert check_url("http://Hooks.Internal./", policy, resolve=resolving_to("192.168.7.7"))
    for url in ("http://10.2.0.1/", "http://other.internal/"):
        with pytest.raises(CallbackAddressError):
            check_url(url, policy, resolve=resolving_to("10.2.0.1"))


@pytest.mark.parametrize("entry", ["10.1.0.0/33", "http://x", "a b", "10.1.0.1/16", ""])
def test_a_wrong_entry_of_the_allow_list_is_a_settings_error(entry: str):
    with pytest.raises(SettingsError, match="PENSTOCK_CALLBACK_ALLOW"):
        parse_policy((entry,), allow_loopback=False)


def test_unresolvable_timed_out_and_forbidden_look_the_same():
    def missing(host: str, port: int) -> tuple[str, ...]:
        raise OSError("no such host")

    over = threading.Event()

    def hanging(host: str, port: int) -> tuple[str, ...]:
        over.wait(5)
        return (PUBLIC,)

    async def text(resolve) -> str:
        with pytest.raises(CallbackAddressError) as caught:
            await resolve_allowed(
                "http://some.example/", STRICT, resolver=Resolver(resolve), timeout_s=0.05
            )
        return str(caught.value)

    async def texts() -> set[str]:
        return {await text(r) for r in (missing, hanging, resolving_to("10.0.0.1"))}

    assert asyncio.run(texts()) == {REFUSED}
    over.set()


@given(st.ip_addresses())
def test_nothing_passes_that_the_standard_library_calls_not_global(address):
    if is_global_unicast(address):
        assert address.is_global
        assert not address.is_multicast


@given(st.ip_addresses(v=4))
def test_no_disguise_of_an_ipv4_address_passes(address):
    number = int(address)
    for network, shift in (
        ("::", 0),
        ("::ffff:0:0", 0),
        ("64:ff9b::", 0),
        ("2002::", 80),
        ("2001::", 0),
    ):
        disguised = ipaddress.IPv6Address(int(ipaddress.IPv6Address(network)) | number << shift)

        assert not is_global_unicast(disguised)
