"""/dashboard: one page for every address below it, and the files it is made of."""

from __future__ import annotations

from falcon.asgi import Request, Response

from gateway.problems import ProblemError
from gateway.resources.dashboard_files import (
    CONTENT_SECURITY_POLICY,
    PAGE,
    DashboardFiles,
    File,
)
from gateway.resources.etag import answer_with_etag

_FOR_EVER = "public, max-age=31536000, immutable"


class DashboardPage:
    """GET /dashboard and /dashboard/{view}: the page finds its view by the address."""

    def __init__(self, dashboard: DashboardFiles) -> None:
        self._dashboard = dashboard

    async def on_get(self, req: Request, resp: Response, view: str = "") -> None:  # noqa: ARG002
        """Serve the page."""
        resp.set_header("Content-Security-Policy", CONTENT_SECURITY_POLICY)
        resp.set_header("Referrer-Policy", "same-origin")
        resp.set_header("Cross-Origin-Opener-Policy", "same-origin")
        resp.set_header("Cache-Control", "no-cache")
        _serve(req, resp, self._dashboard.files[PAGE], self._dashboard.version)


class DashboardAsset:
    """GET /dashboard/assets/{version}/{file}."""

    def __init__(self, dashboard: DashboardFiles) -> None:
        self._dashboard = dashboard

    async def on_get(self, req: Request, resp: Response, version: str, file: str) -> None:
        """Serve a file; for ever, when it is of the version that was asked for."""
        found = self._dashboard.files.get(file)
        if found is None:
            raise ProblemError("not_found", f"The dashboard has no file {file[:128]!r}.")
        if version == self._dashboard.version:
            resp.set_header("Cache-Control", _FOR_EVER)
        _serve(req, resp, found, self._dashboard.version)


def _serve(req: Request, resp: Response, file: File, version: str) -> None:
    resp.set_header("Vary", "Accept-Encoding")
    if "gzip" in (req.get_header("Accept-Encoding") or ""):
        resp.set_header("Content-Encoding", "gzip")
        answer_with_etag(req, resp, file.compressed, file.media_type, version)
    else:
        answer_with_etag(req, resp, file.content, file.media_type, f"{version}-plain")
