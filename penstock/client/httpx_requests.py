"""From a request of a flow to httpx, and back. Both clients use it."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import httpx

from penstock.client.environment import read_key, read_url
from penstock.client.options import require_sendable
from penstock.client.steps import Answer, Lost, Request

# What says that no answer came. Other errors of httpx are mistakes in the request.
LOST = (
    httpx.NetworkError,
    httpx.ProxyError,
    httpx.RemoteProtocolError,
    httpx.TimeoutException,
)
LIMITS = httpx.Limits(max_connections=None, max_keepalive_connections=20)
OK = 200
_CONNECT_S = 10.0
_ANSWER_S = 30.0  # beyond the time that the answer may be held back
_SILENCE_S = 60.0  # longer than a gateway is ever silent on an event stream


class Address:
    """The system that a client calls.

    Args:
        url: Its base URL; if None, `PENSTOCK_URL`.
        key: The API key to send; if None, `PENSTOCK_KEY`; empty sends none.

    Raises:
        ValueError: The URL is not one of HTTP, or the key cannot be sent in a header.
    """

    def __init__(self, url: str | None, key: str | None) -> None:
        self.url = (read_url() if url is None else url).rstrip("/")
        parts = urlsplit(self.url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError(f"not the address of a system: {self.url!r}; write http://host:port")
        key = read_key() if key is None else key
        require_sendable("the API key", key)
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}

    def parts_of(self, request: Request, *, is_stream: bool = False) -> dict[str, Any]:
        """Return the arguments of httpx for a request."""
        read_s = _SILENCE_S if is_stream else _ANSWER_S + request.wait_s
        return {
            "method": request.method,
            "url": self.url + request.target,
            "headers": {**self._headers, **request.sent_headers},
            "content": request.body,
            "timeout": httpx.Timeout(_ANSWER_S, connect=_CONNECT_S, read=read_s, pool=None),
            "follow_redirects": False,
        }


def answer_of(response: httpx.Response, *, is_read: bool = True) -> Answer:
    """Return the answer in a response; without its body if that is not read yet."""
    headers = {name.lower(): value for name, value in response.headers.items()}
    body = response.content if is_read else b""
    return Answer(status=response.status_code, headers=headers, body=body)


def lost(error: httpx.HTTPError, address: Address) -> Lost:
    """Return what a flow gets to know of a lost connection."""
    reason = str(error) or type(error).__name__
    return Lost(reason=f"no answer from {address.url}: {reason}")
