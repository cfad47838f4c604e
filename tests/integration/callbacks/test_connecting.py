"""A sender connects to what was judged, and to nothing else; TLS knows the name."""

from __future__ import annotations

import asyncio
import json
import ssl
import subprocess
from pathlib import Path
from typing import Any

import httpcore
import httpx
import pytest

from runtime.callbacks.address_cache import AddressCache
from runtime.callbacks.resolver import Resolver
from runtime.callbacks.ssrf_guard import Policy
from runtime.callbacks.transport import MOST_ANSWER_BYTES, PinnedTransport
from tests.integration.callbacks.conftest import Sending
from tests.support.callback_urls import check_url
from tests.support.receiver import Receiver, receiving
from tests.support.waiting import eventually


def changing_name(*answers: str):
    """Return a resolver whose answer changes: each answers once, the last one stays."""
    left = list(answers)

    def resolve(host: str, port: int) -> tuple[str, ...]:
        return (left.pop(0) if len(left) > 1 else left[0],)

    return resolve


def last_error_of(delivery) -> str | None:
    return json.loads(delivery.attempts[-1])["error"]


def test_a_name_that_turns_private_after_acceptance_is_not_called(
    sending: Sending, receiver: Receiver
):
    name = changing_name("93.184.215.14", "127.0.0.1")
    url = check_url(receiver.url("/ok", "turning.test"), Policy(), resolve=name).target.url
    delivery_id = sending.finish(url)

    with sending.deliverer(policy=Policy(), resolver=Resolver(name), delays_ms=()):
        delivery = sending.until(delivery_id, "failed")

    assert last_error_of(delivery) == "the receiver could not be reached"
    assert receiver.requests == []


def test_a_name_that_was_remembered_as_good_and_turns_private_is_not_called(
    sending: Sending, receiver: Receiver
):
    """The rebinding that remembering could help: the gateway does not ask again, a sender does."""
    name = changing_name("93.184.215.14", "127.0.0.1")
    recent = AddressCache(Policy(), resolver=Resolver(name))
    url = asyncio.run(recent.check(receiver.url("/first", "turning.test")))
    assert name("turning.test", receiver.port) == ("127.0.0.1",)  # it leads elsewhere by now
    other = recent.recall(receiver.url("/ok", "turning.test"))
    assert other is not None
    deliveries = sending.finish_many([url, other])

    with sending.deliverer(policy=Policy(), resolver=Resolver(name), delays_ms=()):
        ended = [sending.until(one, "failed") for one in deliveries]

    assert {last_error_of(one) for one in ended} == {"the receiver could not be reached"}
    assert receiver.requests == []


def test_the_connection_goes_to_the_judged_address_with_the_name_as_host(
    sending: Sending, receiver: Receiver
):
    name = changing_name("127.0.0.1", "203.0.113.1")
    delivery_id = sending.finish(receiver.url("/ok", "hooks.test"))

    with sending.deliverer(resolver=Resolver(name)):
        sending.until(delivery_id, "delivered")

    [request] = receiver.requests
    assert request.headers["host"] == f"hooks.test:{receiver.port}"
    assert name("hooks.test", 80) == ("203.0.113.1",)


def test_the_next_address_is_tried_when_one_does_not_answer(sending: Sending, receiver: Receiver):
    def both(host: str, port: int) -> tuple[str, ...]:
        return ("::1", "127.0.0.1")

    delivery_id = sending.finish(receiver.url("/ok", "both.test"))

    with sending.deliverer(resolver=Resolver(both)):
        delivery = sending.until(delivery_id, "delivered")

    assert len(delivery.attempts) == 1


def test_proxies_of_the_environment_are_not_asked(
    sending: Sending, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    delivery_id = sending.finish(receiver.url("/ok"))

    with sending.deliverer():
        delivery = sending.until(delivery_id, "delivered")

    assert len(delivery.attempts) == 1


def certificate(folder: Path, name: str) -> Path:
    """Make a certificate for a name, signed by itself, with its key in one file."""
    key, cert, both = folder / "key.pem", folder / "cert.pem", folder / "both.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-nodes", "-days", "2", "-subj", f"/CN={name}"),
            *("-addext", f"subjectAltName=DNS:{name}", "-keyout", str(key), "-out", str(cert)),
        ],
        check=True,
        capture_output=True,
    )
    both.write_text(key.read_text() + cert.read_text())
    return both


@pytest.fixture(scope="module")
def hooks_certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certificate(tmp_path_factory.mktemp("tls"), "hooks.test")


def serving_tls(certificate_file: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate_file)
    return context


def trusting(certificate_file: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(certificate_file))


def test_tls_names_and_checks_the_host_not_the_address(sending: Sending, hooks_certificate: Path):
    with receiving(tls=serving_tls(hooks_certificate)) as receiver:
        delivery_id = sending.finish(receiver.url("/ok", "hooks.test"))

        with sending.deliverer(
            tls=trusting(hooks_certificate), resolver=Resolver(changing_name("127.0.0.1"))
        ):
            sending.until(delivery_id, "delivered")

        assert receiver.snis == ["hooks.test"]


@pytest.mark.parametrize("host", ["other.test", "127.0.0.1"])
def test_a_certificate_for_another_name_is_refused(
    sending: Sending, hooks_certificate: Path, host: str
):
    with receiving(tls=serving_tls(hooks_certificate)) as receiver:
        delivery_id = sending.finish(receiver.url("/ok", host))

        with sending.deliverer(
            tls=trusting(hooks_certificate),
            resolver=Resolver(changing_name("127.0.0.1")),
            delays_ms=(),
        ):
            delivery = sending.until(delivery_id, "failed")

        assert last_error_of(delivery) == "no secure connection: TLS or the certificate was refused"
        assert receiver.requests == []


def test_a_certificate_nobody_vouches_for_is_refused(sending: Sending, hooks_certificate: Path):
    with receiving(tls=serving_tls(hooks_certificate)) as receiver:
        delivery_id = sending.finish(receiver.url("/ok", "hooks.test"))

        with sending.deliverer(resolver=Resolver(changing_name("127.0.0.1")), delays_ms=()):
            sending.until(delivery_id, "failed")

        assert receiver.requests == []


def request_to(receiver: Receiver, path: str, address: str) -> httpx.Request:
    return httpx.Request("POST", receiver.url(path), extensions={"addresses": (address,)})


def test_another_peer_than_the_judged_one_is_hung_up_on(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
):
    class Detour(httpcore.AnyIOBackend):
        async def connect_tcp(self, host: str, *rest: Any) -> httpcore.AsyncNetworkStream:
            assert host == "127.0.1.1"
            return await super().connect_tcp("127.0.0.1", *rest)

    monkeypatch.setattr(httpcore, "AnyIOBackend", Detour)
    sent = PinnedTransport(connect_s=1).handle_async_request(
        request_to(receiver, "/ok", "127.0.1.1")
    )

    with pytest.raises(httpcore.ConnectError, match="another address"):
        asyncio.run(sent)

    eventually(lambda: receiver.came == 1 and receiver.open_now == 0)


def test_not_a_byte_more_than_16_kib_is_taken_from_the_wire(receiver: Receiver):
    got: list[int] = []

    async def read_all() -> None:
        transport = PinnedTransport(connect_s=1)
        response = await transport.handle_async_request(
            request_to(receiver, "/endless", "127.0.0.1")
        )
        try:
            async for part in response.aiter_raw():
                got.append(len(part))  # noqa: PERF401 - it ends by raising
        finally:
            await response.aclose()

    with pytest.raises(httpcore.ReadError, match="longer than"):
        asyncio.run(read_all())

    assert sum(got) <= MOST_ANSWER_BYTES
