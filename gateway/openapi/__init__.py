"""The OpenAPI 3.1 document of the routes and the published functions."""

from __future__ import annotations

from gateway.openapi.document import document, document_json, document_yaml

__all__ = ["document", "document_json", "document_yaml"]
