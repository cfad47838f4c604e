"""One resource a file: parse, call the runtime, shape the answer."""

from __future__ import annotations
