"""W3C Trace Context: reading and writing `traceparent` and `tracestate`.

https://www.w3.org/TR/trace-context/, sections 3.2 and 3.3. What is malformed is as if
it had not been sent; a broken tracestate does not take the traceparent with it.
"""

from __future__ import annotations

import re

import msgspec

_PARENT = re.compile(
    r"(?!ff)(?P<version>[0-9a-f]{2})-(?!0{32})(?P<trace_id>[0-9a-f]{32})"
    r"-(?!0{16})(?P<span_id>[0-9a-f]{16})-(?P<flags>[0-9a-f]{2})(?P<more>-.*)?"
)
_OURS = "00"
_LENGTH = 55
_SAMPLED = 1
_MOST_MEMBERS = 32
_LONGEST_STATE = 512
# Section 3.3.1.3: a key may name its tenant; a value is printable, without comma and equals sign.
_MEMBER = re.compile(
    r"(?P<key>[a-z0-9][a-z0-9_\-*/]{0,240}(?:@[a-z][a-z0-9_\-*/]{0,13})?|[a-z0-9][a-z0-9_\-*/]{0,255})"
    r"=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]"
)


class TraceContext(msgspec.Struct, frozen=True):
    """Which trace something belongs to, and which span of it caused it."""

    traceparent: str
    tracestate: str = ""

    @property
    def trace_id(self) -> str:
        """The 32 hex digits of the trace."""
        return trace_id_of(self.traceparent)


def trace_id_of(traceparent: str) -> str:
    """Return the 32 hex digits of the trace, of a valid traceparent."""
    return traceparent[3:35]


def read_trace(traceparent: str | None, tracestate: str | None = None) -> TraceContext | None:
    """Return the context two headers carry, or None without a valid traceparent."""
    parent = read_traceparent(traceparent)
    if parent is None:
        return None
    return TraceContext(parent, read_tracestate(tracestate) if tracestate else "")


def read_traceparent(header: str | None) -> str | None:
    """Return a traceparent of the version we know; one of a later version is read as that."""
    match = None if header is None else _PARENT.fullmatch(header.strip(" \t"))
    if match is None:
        return None
    text = match[0]
    if text.startswith(_OURS):
        return text if len(text) == _LENGTH else None
    sampled = int(match["flags"], 16) & _SAMPLED
    return f"{_OURS}-{match['trace_id']}-{match['span_id']}-{sampled:02x}"


def read_tracestate(header: str | None) -> str:
    """Return a tracestate, several headers joined by commas; empty when it is malformed."""
    if not header:
        return ""
    members = [member for part in header.split(",") if (member := part.strip(" \t"))]
    keys = {match["key"] for member in members if (match := _MEMBER.fullmatch(member))}
    state = ",".join(members)
    is_valid = len(keys) == len(members) <= _MOST_MEMBERS and len(state) <= _LONGEST_STATE
    return state if is_valid else ""
