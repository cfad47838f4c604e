"""The network layer of a callback: it connects to checked addresses only and reads little.

The HTTP client above it uses names (Host, SNI, certificates). This layer connects to the literal
addresses that were checked for the request, whatever the name resolves to by now, and checks the
peer's address before it sends anything.
"""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
from collections.abc import AsyncIterator, Iterable
from typing import Any

import httpcore
import httpx

MOST_ANSWER_BYTES = 16 * 1024


class PinnedTransport(httpx.AsyncBaseTransport):
    """One connection for each request, to `request.extensions["addresses"]`.

    Args:
        connect_s: Longest wait for a connection, over all addresses.
        tls: The TLS settings for https receivers; the default is made when first needed.
    """

    def __init__(self, *, connect_s: float, tls: ssl.SSLContext | None = None) -> None:
        self._connect_s = connect_s
        self._tls = tls

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request (httpx.AsyncBaseTransport). Raises httpcore's errors."""
        url = request.url
        if url.scheme == "https" and self._tls is None:
            self._tls = httpx.create_ssl_context()
        target = httpcore.URL(
            scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
        )
        connection = httpcore.AsyncHTTPConnection(
            origin=target.origin,
            ssl_context=self._tls,
            network_backend=_PinnedNetwork(request.extensions["addresses"], self._connect_s),
        )
        try:
            answer = await connection.handle_async_request(
                httpcore.Request(
                    request.method, target, headers=request.headers.raw, content=request.stream
                )
            )
        except BaseException:
            await connection.aclose()
            raise
        return httpx.Response(
            answer.status, headers=answer.headers, stream=_Answer(answer, connection)
        )


class _Answer(httpx.AsyncByteStream):
    """The body of a response. Closing it closes the connection."""

    def __init__(self, answer: httpcore.Response, connection: httpcore.AsyncHTTPConnection) -> None:
        self._answer = answer
        self._connection = connection

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for part in self._answer.aiter_stream():
            yield part

    async def aclose(self) -> None:
        await self._answer.aclose()
        await self._connection.aclose()


class _PinnedNetwork(httpcore.AsyncNetworkBackend):
    """Connects to given addresses instead of the host name in the request."""

    def __init__(self, addresses: tuple[str, ...], connect_s: float) -> None:
        self._addresses = addresses
        self._connect_s = connect_s
        self._network = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,  # noqa: ARG002 - a name; addresses were checked
        port: int,
        timeout: float | None = None,  # noqa: ARG002, ASYNC109 - httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Return a connection to the first address that accepts one."""
        deadline = asyncio.get_running_loop().time() + self._connect_s
        failure: Exception = httpcore.ConnectError("no address")
        for index, address in enumerate(self._addresses):
            left_s = deadline - asyncio.get_running_loop().time()
            # Each address gets an equal share of the time that is left.
            share_s = left_s / (len(self._addresses) - index)
            try:
                async with asyncio.timeout(share_s):
                    stream = await self._network.connect_tcp(
                        address, port, None, local_address, socket_options
                    )
            except TimeoutError:
                failure = httpcore.ConnectTimeout(f"no connection within {self._connect_s:g} s")
            except httpcore.ConnectError as error:
                failure = error
            else:
                await _check_peer(stream, address)
                return _MeteredStream(stream)
        raise failure


async def _check_peer(stream: httpcore.AsyncNetworkStream, address: str) -> None:
    peer = stream.get_extra_info("server_addr")
    if peer is None or ipaddress.ip_address(peer[0]) != ipaddress.ip_address(address):
        await stream.aclose()
        raise httpcore.ConnectError("connected to another address than the one checked")


class _MeteredStream(httpcore.AsyncNetworkStream):
    """A connection from which at most MOST_ANSWER_BYTES are read, headers included."""

    def __init__(self, stream: httpcore.AsyncNetworkStream) -> None:
        self._stream = stream
        self._left_bytes = MOST_ANSWER_BYTES

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109
        if self._left_bytes <= 0:
            raise httpcore.ReadError(f"the answer is longer than {MOST_ANSWER_BYTES} bytes")
        data = await self._stream.read(min(max_bytes, self._left_bytes), timeout)
        self._left_bytes -= len(data)
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> httpcore.AsyncNetworkStream:
        return _MeteredStream(await self._stream.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401 - httpcore's signature
        return self._stream.get_extra_info(info)
