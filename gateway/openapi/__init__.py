"""The OpenAPI 3.1 document of the routes and the published functions; see `document`.

This imports nothing: the supervisor wants `examples` alone.
"""

from __future__ import annotations
