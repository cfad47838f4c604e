"""Parse and write `traceparent` and `tracestate` (W3C Trace Context).

https://www.w3.org/TR/trace-context/, sections 3.2 and 3.3. A malformed header counts as absent; a
malformed tracestate does not invalidate the traceparent.
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
# Section 3.3.1.3: a key may name a tenant; a value is printable, without comma or equals sign.
_MEMBER = re.compile(
    r"(?P<key>[a-z0-9][a-z0-9_\-*/]{0,240}(?:@[a-z][a-z0-9_\-*/]{0,13})?|[a-z0-9][a-z0-9_\-*/]{0,255})"
    r"=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]"
)


class TraceContext(msgspec.Struct, frozen=True):
    """The trace that something belongs to, and the span that caused it."""

    traceparent: str
    tracestate: str = ""

    @property
    def trace_id(self) -> str:
        """The trace id, 32 hex digits."""
        return trace_id_of(self.traceparent)


def trace_id_of(traceparent: str) -> str:
    """Return the trace id, 32 hex digits, of a valid traceparent."""
    return traceparent[3:35]


def read_trace(traceparent: str | None, tracestate: str | None = None) -> TraceContext | None:
    """Return the trace context of two headers, or None without a valid traceparent."""
    parent = read_traceparent(traceparent)
    if parent is None:
        return None
    return TraceContext(parent, read_tracestate(tracestate) if tracestate else "")


def read_traceparent(header: str | None) -> str | None:
    """Return a valid traceparent in version 00, or None; later versions are converted."""
    match = None if header is None else _PARENT.fullmatch(header.strip(" \t"))
    if match is None:
        return None
    text = match[0]
    if text.startswith(_OURS):
        return text if len(text) == _LENGTH else None
    sampled = int(match["flags"], 16) & _SAMPLED
    return f"{_OURS}-{match['trace_id']}-{match['span_id']}-{sampled:02x}"


def read_tracestate(header: str | None) -> str:
    """Return a valid tracestate, or "" if malformed; several headers are joined by commas."""
    if not header:
        return ""
    members = [member for part in header.split(",") if (member := part.strip(" \t"))]
    keys = {match["key"] for member in members if (match := _MEMBER.fullmatch(member))}
    state = ",".join(members)
    is_valid = len(keys) == len(members) <= _MOST_MEMBERS and len(state) <= _LONGEST_STATE
    return state if is_valid else ""
