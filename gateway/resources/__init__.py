"""One resource in each file: parse the request, call the runtime, write the response."""

from __future__ import annotations
