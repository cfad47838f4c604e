"""The table of routes; the router, the authentication and the OpenAPI document read it."""

from __future__ import annotations
