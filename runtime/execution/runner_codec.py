"""The runner's side of frames: read what the worker sends, write how attempts have ended.

With pydantic's parser, the only one that every runner has. The worker is trusted.
"""

from __future__ import annotations

from pydantic_core import from_json, to_json

from runtime.execution.outcome import SUCCEEDED, Ending
from runtime.execution.runner_protocol import RunnerLimits, Start


def decode_limits(data: bytes) -> RunnerLimits:
    """Decode the limits of a `load` frame."""
    return RunnerLimits(*from_json(data))


def decode_start(data: bytes) -> Start:
    """Decode the start of a `run` frame."""
    return _start(from_json(data))


def encode_ending(ending: Ending) -> bytes:
    """Encode an ending."""
    return _SUCCEEDED if ending is SUCCEEDED else to_json(ending)


_SUCCEEDED = to_json(SUCCEEDED)
_start = Start._make
