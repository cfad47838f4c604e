"""Child processes, the server that forks them, and the sockets between a worker and a child."""

from __future__ import annotations
