"""HTTP/1.1 on a socket: deadlines and limits that hold before any resource is asked."""

from __future__ import annotations
