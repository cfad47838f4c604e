"""/openapi.json, /openapi.yaml, /docs, /problems/{code} and /: the documentation.

The OpenAPI document shows the published functions that the caller's key may see. The reference
page is the template of the package `offapi` with our configuration: complete in one response, so
that it works offline. `/problems/{code}` explains an error code, and `/` redirects to `/docs`.
"""

from __future__ import annotations

import asyncio
import gzip
import html
import json

import falcon
from falcon.asgi import Request, Response

from gateway.auth.caller import caller_of
from gateway.live.manifest_cache import ManifestCache
from gateway.problems import KINDS, ProblemError
from gateway.resources.etag import answer_compressed, answer_with_etag, digest_of
from runtime.access.scopes import Grant
from runtime.errors import StoreUnavailableError

_MOST_MADE = 32
_PROBLEM_PAGE = """<!doctype html><meta charset="utf-8"><title>{code}</title>
<h1>{title}</h1><p><code>{code}</code>, HTTP status {status}</p><p>{meaning}</p>
"""


class Documents:
    """The OpenAPI document of the published functions, made once for each change and grant."""

    def __init__(self, manifest_cache: ManifestCache) -> None:
        self._manifest_cache = manifest_cache
        self._made: dict[tuple[str, Grant], tuple[int, bytes, str]] = {}

    def current(self, form: str, grant: Grant) -> tuple[bytes, str]:
        """Return the document for a grant, in `form` (json or yaml), and its entity tag.

        Raises:
            StoreUnavailableError: The published functions have not been read yet.
        """
        if not self._manifest_cache.is_loaded:
            raise StoreUnavailableError("Redis has not answered since the gateway started.")
        generation = self._manifest_cache.generation
        made = self._made.get((form, grant))
        if made is None or made[0] != generation:
            # Imported here: only a process that is asked for a document needs the writers.
            from gateway.openapi.document import document_json, document_yaml  # noqa: PLC0415

            write = document_json if form == "json" else document_yaml
            body = write(self._manifest_cache.manifests.values(), grant)
            if len(self._made) >= _MOST_MADE:
                self._made.clear()
            made = (generation, body, digest_of(body))
            self._made[form, grant] = made
        return made[1], made[2]


class OpenApi:
    """GET /openapi.json and /openapi.yaml."""

    def __init__(self, documents: Documents, *, form: str, media_type: str) -> None:
        self._documents = documents
        self._form = form
        self._media_type = media_type

    async def on_get(self, req: Request, resp: Response) -> None:
        """Serve the document."""
        body, etag = self._documents.current(self._form, caller_of(req.scope).grant)
        resp.set_header("Cache-Control", "no-cache")
        answer_with_etag(req, resp, body, self._media_type, etag)


class Docs:
    """GET /docs: the reference page, made once by the first request."""

    def __init__(self) -> None:
        self._making: asyncio.Task[tuple[bytes, str]] | None = None

    async def on_get(self, req: Request, resp: Response) -> None:
        """Serve the page, compressed if the client accepts gzip."""
        if self._making is None:
            self._making = asyncio.create_task(asyncio.to_thread(_make_page))
        # Shielded: a client that leaves must not cancel what other requests wait for.
        compressed, etag = await asyncio.shield(self._making)
        resp.set_header("Content-Security-Policy", CONTENT_SECURITY_POLICY)
        resp.set_header("Cache-Control", "no-cache")
        answer_compressed(req, resp, compressed, "text/html; charset=utf-8", etag)


def _make_page() -> tuple[bytes, str]:
    compressed = gzip.compress(reference_page(), mtime=0)
    return compressed, digest_of(compressed)


class ProblemPage:
    """GET /problems/{code}: the page at the address in the `type` of a problem."""

    async def on_get(self, req: Request, resp: Response, code: str) -> None:  # noqa: ARG002
        """Explain an error code."""
        kind = KINDS.get(code)
        if kind is None:
            raise ProblemError("not_found", f"No problem has the code {code[:64]!r}.")
        resp.content_type = "text/html; charset=utf-8"
        resp.text = _PROBLEM_PAGE.format(
            code=code,
            title=html.escape(kind.title),
            status=kind.status,
            meaning=html.escape(kind.meaning),
        )


class Home:
    """GET /: redirects to the reference page."""

    async def on_get(self, req: Request, resp: Response) -> None:  # noqa: ARG002
        """Redirect to /docs."""
        raise falcon.HTTPFound("/docs")


_CONFIGURATION = {
    "theme": "default",
    "withDefaultFonts": False,
    "telemetry": False,
    "agent": {"disabled": True},
    "mcp": {"disabled": True},
    "showDeveloperTools": "never",
    "hideClientButton": True,
    "documentDownloadType": "direct",
    "defaultOpenAllTags": False,
}
_TEMPLATE_CONFIGURATION = "theme: 'purple',"
_TITLE = "<title>API Reference</title>"
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval' blob:; "
    "style-src 'unsafe-inline'; img-src 'self' data: blob:; font-src data:; "
    "connect-src 'self'; worker-src blob:; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)


def reference_page() -> bytes:
    """Return the reference page.

    Raises:
        ValueError: The template of this version of offapi lacks an expected text.
    """
    from offapi import OpenAPITemplate  # noqa: PLC0415 - reads 8 MB, and only /docs needs it

    page = OpenAPITemplate.SCALAR.value.format(spec_url="/openapi.json")
    for expected in (_TEMPLATE_CONFIGURATION, _TITLE):
        if page.count(expected) != 1:
            raise ValueError(f"offapi's template must contain {expected!r} exactly once")
    members = json.dumps(_CONFIGURATION)[1:-1] + ","
    page = page.replace(_TEMPLATE_CONFIGURATION, members)
    return page.replace(_TITLE, "<title>Penstock functions</title>").encode()
