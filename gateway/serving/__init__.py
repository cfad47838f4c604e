"""HTTP/1.1 on a socket: deadlines and limits that apply before any resource is called."""

from __future__ import annotations
