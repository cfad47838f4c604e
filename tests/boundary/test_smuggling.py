"""Requests that two servers could read in two ways are read in none: refused, and nothing behind.

Whether a request ends where a proxy before us thinks it does is what smuggling is about.
"""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.serving.limits import ConnectionLimits
from gateway.serving.request_parser import RequestParser

POST = b"POST /functions/f HTTP/1.1\r\nHost: x\r\n"
GET = b"GET /livez HTTP/1.1\r\nHost: x\r\n"
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
UPGRADE = POST + b"Connection: Upgrade\r\nUpgrade: h2c\r\n"
LIMITS = ConnectionLimits(header_timeout_s=1, body_timeout_s=1)

AMBIGUOUS = {
    "two lengths": POST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    "one length twice": POST + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
    "a list of lengths": POST + b"Content-Length: 2, 2\r\n\r\n{}",
    "a length with a sign": POST + b"Content-Length: +2\r\n\r\n{}",
    "a negative length": POST + b"Content-Length: -2\r\n\r\n{}",
    "a length in hex": POST + b"Content-Length: 0x2\r\n\r\n{}",
    "an empty length": POST + b"Content-Length: \r\n\r\n{}",
    "a length in two": POST + b"Content-Length: 2 2\r\n\r\n{}",
    "a length over 64 bits": POST + b"Content-Length: 99999999999999999999\r\n\r\n{}",
    "a space before the colon": POST + b"Content-Length : 2\r\n\r\n{}",
    "length, then chunks": POST
    + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunks, then length": POST
    + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    "coding identity": POST + b"Transfer-Encoding: identity\r\n\r\n0\r\n\r\n",
    "chunked not last": POST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "a coding we do not know": POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "chunked twice": POST + b"Transfer-Encoding: chunked\r\n" * 2 + b"\r\n0\r\n\r\n",
    "a parameter of chunked": POST + b"Transfer-Encoding: chunked;a=b\r\n\r\n0\r\n\r\n",
    "nearly chunked": POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "chunked behind a tabulator": POST + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    "a coding before its colon": POST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "chunks in HTTP/1.0": b"POST /f HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a folded header": POST + b"X: a\r\n b\r\nContent-Length: 2\r\n\r\n{}",
    "a folded coding": POST + b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
    "a folded start": b"GET /livez HTTP/1.1\r\n X: y\r\nHost: x\r\n\r\n",
    "lines that end with LF": b"GET /livez HTTP/1.1\nHost: x\n\n",
    "a header that ends with LF": b"GET /livez HTTP/1.1\r\nHost: x\nX: y\r\n\r\n",
    "a header that ends with CR": b"GET /livez HTTP/1.1\r\nHost: x\rX: y\r\n\r\n",
    "a zero byte": GET + b"X: a\x00b\r\n\r\n",
    "a header without a name": GET + b": b\r\n\r\n",
    "a control character in a name": GET + b"A\x01: b\r\n\r\n",
    "two hosts": GET + b"Host: y\r\n\r\n",
    "a negative chunk": CHUNKED + b"-1\r\n{}\r\n0\r\n\r\n",
    "a chunk in C's hex": CHUNKED + b"0x2\r\n{}\r\n0\r\n\r\n",
    "a chunk size and a space": CHUNKED + b"2 \r\n{}\r\n0\r\n\r\n",
    "a chunk over 64 bits": CHUNKED + b"FFFFFFFFFFFFFFFFF\r\n{}\r\n0\r\n\r\n",
    "a chunk longer than told": CHUNKED + b"1\r\n{}\r\n0\r\n\r\n",
    "a chunk without its end": CHUNKED + b"2\r\n{}0\r\n\r\n",
    "a chunk size that ends with LF": CHUNKED + b"2\n{}\r\n0\r\n\r\n",
    "an extension with LF": CHUNKED + b"2;a\nb\r\n{}\r\n0\r\n\r\n",
    "no chunk size": CHUNKED + b"\r\n{}\r\n0\r\n\r\n",
    "a chunk that ends with LF": CHUNKED + b"2\r\n{}\n0\n\n",
    "a length as a trailer": CHUNKED + b"0\r\nContent-Length: 5\r\n\r\n",
    "both, and an upgrade": UPGRADE
    + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two lengths, and an upgrade": UPGRADE + b"Content-Length: 2\r\nContent-Length: 30\r\n\r\n{}",
}


class HearingParser:
    """Owns a parser, and writes down what it hears."""

    def __init__(self) -> None:
        self.scopes: list[dict[str, Any]] = []
        self.body = b""
        self.ended = 0

    def on_head(self, scope: dict[str, Any], *, keep_alive: bool, expects_continue: bool) -> None:
        del keep_alive, expects_continue
        self.scopes.append(scope)

    def on_piece(self, data: bytes) -> None:
        self.body += data

    def on_end(self) -> None:
        self.ended += 1


def parse_answers(*pieces: bytes) -> tuple[HearingParser, str | None]:
    """Feed a parser as a connection does; return what it told, and its refusal."""
    witness = HearingParser()
    parser = RequestParser(witness, LIMITS)
    for piece in pieces:
        parser.feed(piece)
        if parser.refusal is not None:
            return witness, parser.refusal.code
    return witness, None


@pytest.mark.parametrize("request_bytes", AMBIGUOUS.values(), ids=AMBIGUOUS)
def test_what_could_be_read_in_two_ways_is_refused_with_all_behind_it(request_bytes: bytes):
    witness, refusal = parse_answers(request_bytes + SMUGGLED)

    assert refusal == "malformed_request"
    assert witness.ended == 0
    assert "/smuggled" not in [scope["path"] for scope in witness.scopes]


@given(name=st.sampled_from(sorted(AMBIGUOUS)), where=st.integers(1, 400))
def test_it_is_refused_in_whatever_pieces_it_comes(name: str, where: int):
    whole = AMBIGUOUS[name] + SMUGGLED

    witness, refusal = parse_answers(whole[:where], whole[where:])

    assert refusal == "malformed_request"
    assert "/smuggled" not in [scope["path"] for scope in witness.scopes]


def test_a_trailer_does_not_become_a_header():
    late = b"2\r\n{}\r\n0\r\nAuthorization: Bearer late\r\nX: y\r\n\r\n"

    witness, refusal = parse_answers(CHUNKED, late)

    assert refusal is None
    assert (witness.body, witness.ended) == (b"{}", 1)
    assert [name for name, _ in witness.scopes[0]["headers"]] == [b"host", b"transfer-encoding"]


def test_trailers_without_end_are_refused():
    trailers = b"".join(b"X-%d: %s\r\n" % (n, b"y" * 1000) for n in range(100))

    _, refusal = parse_answers(CHUNKED + b"0\r\n", *trailers.splitlines(keepends=True))

    assert refusal == "headers_too_large"


@given(
    lengths=st.lists(st.integers(0, 40), min_size=1, max_size=4),
    cuts=st.lists(st.integers(1, 300), max_size=6),
    chunked=st.booleans(),
)
def test_bodies_that_look_like_requests_stay_bodies(
    lengths: list[int], cuts: list[int], *, chunked: bool
):
    bodies = [SMUGGLED[:length] for length in lengths]
    stream = b"".join(
        CHUNKED + b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
        if chunked and body
        else POST + b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
        for body in bodies
    )
    at = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})

    witness, refusal = parse_answers(*(stream[a:b] for a, b in itertools.pairwise(at)))

    assert refusal is None
    assert witness.body == b"".join(bodies)
    assert [scope["path"] for scope in witness.scopes] == ["/functions/f"] * len(bodies)
    assert witness.ended == len(bodies)
