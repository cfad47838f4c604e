"""/dashboard: its page, styles and modules, read from the package once and served as they are.

No file contains anything that callers have stored. The address of an asset contains the version of
all files, so a browser requests each asset only once.
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable

from falcon.asgi import Request, Response

from gateway.problems import ProblemError
from gateway.resources.etag import answer_compressed

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
PAGE = "index.html"
_HOLE = b"{version}"
_MEDIA_TYPES = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """One file, compressed with gzip."""

    compressed: bytes
    media_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DashboardFiles:
    """All files by path; `version` is a digest that changes with any of them."""

    version: str
    files: dict[str, File]


def read_dashboard_files() -> DashboardFiles:
    """Read the files from the package, and put the version into the page."""
    found = dict(sorted(_walk(resources.files("gateway") / "dashboard", "")))
    digest = hashlib.blake2b(digest_size=6)
    for path, content in found.items():
        digest.update(b"%b\0%d\0%b" % (path.encode(), len(content), content))
    version = digest.hexdigest()
    found[PAGE] = found[PAGE].replace(_HOLE, version.encode())
    files = {path: _file(path, content) for path, content in found.items()}
    return DashboardFiles(version=version, files=files)


def _walk(folder: Traversable, prefix: str) -> Iterator[tuple[str, bytes]]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _walk(entry, f"{prefix}{entry.name}/")
        elif entry.name.rpartition(".")[2] in _MEDIA_TYPES:
            yield prefix + entry.name, entry.read_bytes()


def _file(path: str, content: bytes) -> File:
    media_type = _MEDIA_TYPES[path.rpartition(".")[2]]
    return File(compressed=gzip.compress(content, mtime=0), media_type=media_type)


_FOR_EVER = "public, max-age=31536000, immutable"


class DashboardPage:
    """GET /dashboard and /dashboard/{view}: one page, whose script selects the view."""

    def __init__(self, dashboard: DashboardFiles) -> None:
        self._dashboard = dashboard

    async def on_get(self, req: Request, resp: Response, view: str = "") -> None:  # noqa: ARG002
        """Serve the page."""
        resp.set_header("Content-Security-Policy", CONTENT_SECURITY_POLICY)
        resp.set_header("Referrer-Policy", "same-origin")
        resp.set_header("Cross-Origin-Opener-Policy", "same-origin")
        resp.set_header("Cache-Control", "no-cache")
        page = self._dashboard.files[PAGE]
        answer_compressed(req, resp, page.compressed, page.media_type, self._dashboard.version)


class DashboardAsset:
    """GET /dashboard/assets/{version}/{file}."""

    def __init__(self, dashboard: DashboardFiles) -> None:
        self._dashboard = dashboard

    async def on_get(self, req: Request, resp: Response, version: str, file: str) -> None:
        """Serve a file; a browser may keep it for a year if the version is the current one."""
        found = self._dashboard.files.get(file)
        if found is None:
            raise ProblemError("not_found", f"The dashboard has no file {file[:128]!r}.")
        if version == self._dashboard.version:
            resp.set_header("Cache-Control", _FOR_EVER)
        answer_compressed(req, resp, found.compressed, found.media_type, self._dashboard.version)
