"""From what a caller sends to typed values: headers, query, bodies; what is wrong is a problem."""

from __future__ import annotations
