"""The route table. The router, authentication and the OpenAPI document are built from it."""

from __future__ import annotations
