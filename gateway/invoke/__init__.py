"""From a parsed call to an accepted invocation, and from a finished invocation to a response."""

from __future__ import annotations
