"""From a parsed call to an accepted invocation, and from its end to an answer."""

from __future__ import annotations
