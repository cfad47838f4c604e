"""One attempt at a delivery: check the address again, connect to it, post, read a short answer.

Whatever a receiver or a network does ends as a `DeliveryOutcome`, never as an exception.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Mapping
from dataclasses import replace

import httpcore
import httpx

from runtime.callbacks.config import DeliveryRules
from runtime.callbacks.delivery_attempt import UNREACHABLE, DeliveryOutcome
from runtime.callbacks.ssrf_guard import RESOLVE_TIMEOUT_S, resolve_allowed
from runtime.callbacks.transport import PinnedTransport
from runtime.errors import CallbackAddressError

TLS_REFUSED = "no secure connection: TLS or the certificate was refused"
BROKEN_OFF = "the connection ended before a valid answer"
_FAREWELL_S = 1.0
_FAILURES = (
    CallbackAddressError,
    httpcore.ConnectTimeout,
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpx.HTTPError,
    httpx.InvalidURL,
    OSError,
)

_OF_EVERY_CALLBACK = {"Accept-Encoding": "identity", "Connection": "close"}


class Sender:
    """Posts bodies to callback addresses. Used in one event loop.

    Args:
        rules: Limits and allowed addresses.
    """

    def __init__(self, rules: DeliveryRules) -> None:
        self._rules = rules
        self._client = httpx.AsyncClient(
            transport=PinnedTransport(connect_s=rules.connect_s, tls=rules.tls),
            follow_redirects=False,
            trust_env=False,
            timeout=None,  # noqa: S113 - `send` limits the whole attempt
        )

    async def send(self, url: str, *, headers: Mapping[str, str], body: bytes) -> DeliveryOutcome:
        """Make one attempt, in at most `total_s`."""
        loop = asyncio.get_running_loop()
        started_s = loop.time()
        try:
            async with asyncio.timeout_at(started_s + self._rules.total_s):
                response = await self._post(url, headers, body)
        except TimeoutError:
            error = f"no answer within {self._rules.total_s:g} s"
            ended = _failed(error, reason="deadline", kept_waiting=True)
        except _FAILURES as error:
            ended = _classify_failure(error)
        else:
            await _see_off(response, until_s=started_s + self._rules.total_s)
            ended = _classify_answer(response)
        return replace(ended, duration_ms=round((loop.time() - started_s) * 1000))

    async def close(self) -> None:
        """Close the client."""
        await self._client.aclose()

    async def _post(self, url: str, headers: Mapping[str, str], body: bytes) -> httpx.Response:
        checked = await resolve_allowed(
            url, self._rules.policy, resolver=self._rules.resolver, timeout_s=RESOLVE_TIMEOUT_S
        )
        request = self._client.build_request(
            "POST",
            f"{checked.target.scheme}://{checked.target.authority}{checked.target.path}",
            headers={  # as bytes: a function's own may be of ISO 8859-1
                name.encode("latin-1"): value.encode("latin-1", "replace")
                for name, value in {**headers, **_OF_EVERY_CALLBACK}.items()
            },
            content=body,
            extensions={"addresses": checked.addresses},
        )
        return await self._client.send(request, stream=True)


async def _see_off(response: httpx.Response, *, until_s: float) -> None:
    """Read the rest of an answer, for up to a second, so that the receiver sees no reset."""
    until_s = min(until_s, asyncio.get_running_loop().time() + _FAREWELL_S)
    try:
        with contextlib.suppress(httpcore.NetworkError, httpcore.ProtocolError, TimeoutError):
            async with asyncio.timeout_at(until_s):
                async for _ in response.aiter_raw():
                    pass
    finally:
        await response.aclose()


def _classify_answer(response: httpx.Response) -> DeliveryOutcome:
    code = response.status_code
    error = None if response.is_success else f"answered {code}"
    if httpx.codes.is_redirect(code):
        error = f"answered {code}; redirects are not followed"
    retry_after = response.headers.get("retry-after")
    return DeliveryOutcome(duration_ms=0, status_code=code, error=error, retry_after=retry_after)


def _classify_failure(error: Exception) -> DeliveryOutcome:
    reason = f"{type(error).__name__}: {error.__cause__ or error}"
    if isinstance(error, CallbackAddressError):
        return _failed(UNREACHABLE, reason=reason)
    if isinstance(error, httpcore.ConnectTimeout):
        return _failed(UNREACHABLE, reason=reason, kept_waiting=True)
    if isinstance(error, httpcore.ConnectError):
        return _failed(TLS_REFUSED if _is_about_tls(error) else UNREACHABLE, reason=reason)
    return _failed(BROKEN_OFF, reason=reason)


def _failed(error: str, *, reason: str, kept_waiting: bool = False) -> DeliveryOutcome:
    return DeliveryOutcome(duration_ms=0, error=error, reason=reason, kept_waiting=kept_waiting)


def _is_about_tls(error: BaseException) -> bool:
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, ssl.SSLError):
        cause = cause.__cause__ or cause.__context__
    return cause is not None
