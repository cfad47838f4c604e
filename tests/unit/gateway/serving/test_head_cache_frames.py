"""What is recalled by a frame is what the parser reads, whatever the other lines are."""

from __future__ import annotations

import hypothesis.strategies as st
from hypothesis import given

from gateway.serving.dispatch import HeadCache
from gateway.serving.limits import ConnectionLimits
from gateway.serving.request_parser import RequestParser, Scope

HEAD = b"POST /f HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\n\r\n"
FREE_LINES = st.tuples(
    st.sampled_from(
        [
            *(b"traceparent", b"Idempotency-Key", b"COOKIE", b"x_y", b"a", b"A", b"Keep-Alive"),
            *(b"Host", b"Connection", b"Content-Length", b"Upgrade", b"Expect", b"TE", b"Trailer"),
            *(b"Transfer-Encoding", b"Proxy-Connection", b"HTTP2-Settings", b"", b"a b", b"(a)"),
        ]
    ),
    st.sampled_from([b": ", b": ", b": ", b":", b" : ", b":\t", b": \r\n "]),
    st.one_of(
        st.sampled_from(
            [b"x", b"3", b"03", b"close", b"keep-alive", b"h2c", b"chunked", b"", b" "]
        ),
        st.from_regex(rb"[\x00-\xff]{0,6}", fullmatch=True),
        st.from_regex(rb"[!-~]([ -~]{0,20}[!-~])?", fullmatch=True),
    ),
)


DECISIVE_LINES = st.sampled_from(
    [
        *((b"Connection", b": ", value) for value in (b"close", b"keep-alive", b"te")),
        *((b"Host", b": ", b"x"), (b"Host", b": ", b"y"), (b"Content-Length", b": ", b"3")),
        *((b"Upgrade", b": ", b"h2c"), (b"Proxy-Connection", b": ", b"close")),
        (b"Transfer-Encoding", b": ", b"chunked"),
    ]
)


class Judge:
    """What the parser says of one request; `heard` is None where it refuses or waits for more."""

    def __init__(self, data: bytes) -> None:
        self.heard: tuple[Scope, bool, bytes] | None = None
        self._scope: Scope = {}
        self._keep_alive = False
        self._body = b""
        self._requests = 0
        parser = RequestParser(self, ConnectionLimits())
        parser.feed(data)
        if self._requests == 1 and parser.is_between:
            self.heard = self._scope, self._keep_alive, self._body

    def on_head(self, scope: Scope, *, keep_alive: bool, expects_continue: bool) -> None:
        assert not expects_continue
        self._scope, self._keep_alive = scope, keep_alive

    def on_piece(self, data: bytes) -> None:
        self._body += data

    def on_end(self) -> None:
        self._requests += 1


@given(
    framed=st.sampled_from(
        [
            HEAD,
            HEAD.replace(b"host: x", b"Host: x\r\nConnection: close"),
            HEAD.replace(b"1.1", b"1.0"),
            b"GET /f?a=b HTTP/1.1\r\nHost: x\r\nConnection: keep-alive\r\n\r\n",
        ]
    ),
    more=st.lists(st.one_of(FREE_LINES, DECISIVE_LINES), min_size=1, max_size=3),
    length=st.sampled_from([b"3", b"3", b"4", b"03", b"+3", b"3_", b"0x3", b"3 3", b"3000000000"]),
    place=st.sampled_from([0, -1]),
    body=st.sampled_from([b"abc", b"", b"abcd"]),
)
def test_a_head_that_is_recalled_says_what_the_parser_reads_in_it(
    framed: bytes,
    more: list[tuple[bytes, bytes, bytes]],
    length: bytes,
    place: int,
    body: bytes,
):
    heads = HeadCache()
    first = framed + (b"abc" if b"content-length" in framed else b"")
    taught = Judge(first).heard
    assert taught is not None
    for _ in range(2):
        heads.learn(first, taught[0], keep_alive=taught[1])
    lines = framed.removesuffix(b"\r\n\r\n").split(b"\r\n")
    for line in map(b"".join, more):
        lines.insert(1 if place == 0 else len(lines), line)
    text = b"\r\n".join(lines).replace(b"content-length: 3", b"content-length: " + length)
    data = text + b"\r\n\r\n" + body

    for _ in range(3):  # unknown, known by its lines, known as a whole
        begun = heads.recall(data)
        if begun is not None:
            assert Judge(data).heard == tuple(begun)
