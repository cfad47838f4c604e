"""A judgement is remembered by address and by host, for acceptance, and not for long."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from runtime.callbacks.address_cache import AddressCache
from runtime.callbacks.resolver import Resolver
from runtime.callbacks.ssrf_guard import Policy
from runtime.errors import CallbackAddressError

GOOD, PRIVATE = "93.184.215.14", "10.0.0.1"
TRUSTED_S = 10.0


class Names:
    """A resolver's answers and a clock."""

    def __init__(self) -> None:
        self.leads_to: dict[str, str] = {}
        self.asked: list[tuple[str, int]] = []
        self.now = 1000.0

    def resolve(self, host: str, port: int) -> tuple[str, ...]:
        self.asked.append((host, port))
        return (self.leads_to.get(host, GOOD),)


@pytest.fixture
def names() -> Names:
    return Names()


@pytest.fixture
def accept(names: Names) -> Callable[[str], str]:
    recent = AddressCache(
        Policy(),
        trusted_s=TRUSTED_S,
        clock=lambda: names.now,
        resolver=Resolver(names.resolve),
    )

    def accept(url: str) -> str:
        """What a call does with the address that it shows."""
        return recent.recall(url) or asyncio.run(recent.check(url))

    return accept


def test_a_name_is_resolved_once_in_a_while(names: Names, accept):
    for number in range(5):
        assert accept(f"https://hooks.test/{number}") == f"https://hooks.test/{number}"
        assert accept("https://hooks.test/0") == "https://hooks.test/0"

    assert names.asked == [("hooks.test", 443)]


def test_it_is_forgotten_after_its_time_however_often_it_was_asked_for(names: Names, accept):
    accept("https://hooks.test/a")
    for _ in range(4):
        names.now += TRUSTED_S / 4 - 0.01
        accept("https://hooks.test/a")
        accept(f"https://hooks.test/{names.now}")
    assert len(names.asked) == 1

    names.leads_to["hooks.test"] = PRIVATE
    names.now += 0.1
    for url in ("https://hooks.test/a", f"https://hooks.test/{names.now}"):
        with pytest.raises(CallbackAddressError):
            accept(url)


@pytest.mark.parametrize(
    "other",
    [
        "https://other.test/",
        "https://hooks.test:8443/",
        "http://hooks.test/",
        "https://hooks.test.other/",
        "https://sub.hooks.test/",
    ],
)
def test_it_counts_for_its_host_and_port_alone(names: Names, accept, other: str):
    accept("https://hooks.test/")
    names.leads_to = dict.fromkeys(
        ("other.test", "hooks.test", "hooks.test.other", "sub.hooks.test"), PRIVATE
    )

    with pytest.raises(CallbackAddressError):
        accept(other)


def test_what_was_refused_is_judged_again(names: Names, accept):
    names.leads_to["hooks.test"] = PRIVATE
    with pytest.raises(CallbackAddressError):
        accept("https://hooks.test/")

    names.leads_to["hooks.test"] = GOOD

    assert accept("https://hooks.test/") == "https://hooks.test/"
    assert len(names.asked) == 2


@pytest.mark.parametrize(
    "url", ["https://me@hooks.test/", "ftp://hooks.test/", "https://hooks.test /"]
)
def test_a_malformed_address_of_a_host_that_is_remembered_is_refused(names, accept, url: str):
    accept("https://hooks.test/")

    with pytest.raises(CallbackAddressError):
        accept(url)


def test_it_is_kept_as_it_was_judged(names: Names, accept):
    accept("https://hooks.test/")

    assert accept("https://hooks.test/\u00e9") == "https://hooks.test/%C3%A9"
    assert accept("https://hooks.test/\u00e9") == "https://hooks.test/%C3%A9"
    assert len(names.asked) == 1


def test_strange_hosts_do_not_fill_the_memory(names: Names):
    recent = AddressCache(Policy(), resolver=Resolver(names.resolve))

    async def judge_many() -> None:
        for number in range(1500):
            await recent.check(f"https://h{number}.test/")

    asyncio.run(judge_many())

    assert recent.recall("https://h1499.test/") is not None
    assert recent.recall("https://h0.test/") is None, "the address"
    assert recent.recall("https://h0.test/other") is None, "the host"
