"""The origins whose web pages may call the gateway and read its responses (CORS).

`PENSTOCK_CORS_ORIGINS` lists origins for every path, and `@function(cors=…)` those of one function.
The path decides, because it is known of every request, even of one that is refused before it is
routed. Credentials are never allowed, so no page of another origin can read the response to a
cookie or to a password that the browser remembers.

Falcon's own CORS middleware has one list for all routes, and never sees what is refused before
Falcon starts.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping

from runtime.invocations.ids import is_invocation_id
from runtime.registry.manifest import Manifest
from runtime.sdk.origins import ANY_ORIGIN

Headers = tuple[tuple[bytes, bytes], ...]
FindName = Callable[[Container[str], str], str | None]
Origins = frozenset[bytes]
_NONE: Origins = frozenset()
_ANY = ANY_ORIGIN.encode()
_VARY = (b"vary", b"Origin")
# `*` stands for the headers that a function sets itself.
_READABLE = (
    b"Location, Retry-After, Preference-Applied, X-Call-Id, ETag, Link, RateLimit, "
    b"RateLimit-Policy, Idempotency-Replayed, X-Duration-Seconds, *"
)
_EXPOSED = (b"access-control-expose-headers", _READABLE)


def _find_equal(names: Container[str], name: str) -> str | None:
    return name if name in names else None


class AllowedOrigins:
    """Decides by path whether pages of an origin may use it.

    The origins of a function may use the paths that call the function, and those of any invocation
    or batch by its id. The id is told only to its caller and to those who may list invocations.

    Args:
        everywhere: The origins that may use every path.
        manifests: Returns the published functions, in a mapping that never changes in place.
        find_name: Finds the published function that a path means, besides `/functions/…`.
    """

    def __init__(
        self,
        everywhere: Iterable[str] = (),
        manifests: Callable[[], Mapping[str, Manifest]] = dict,
        find_name: FindName = _find_equal,
    ) -> None:
        self._everywhere = _encoded(everywhere)
        self._manifests = manifests
        self._find_name = find_name
        self._read: Mapping[str, Manifest] | None = None
        self._by_function: dict[str, Origins] = {}
        self._together = _NONE

    def allow(self, origin: bytes, path: str) -> bool:
        """Whether pages of this origin may use the path."""
        listed = self._everywhere | (self._of_functions(path) or _NONE)
        return origin in listed or _ANY in listed

    def allow_without_key(self, origin: bytes, path: str) -> bool:
        """Whether pages of this origin may change something without a key, where none is needed.

        They may call functions, and cancel and retry invocations. Everything else takes a key.
        """
        return self._of_functions(path) is not None and self.allow(origin, path)

    def take_links(self, path: str) -> bool:
        """Whether a path calls a function that says it takes GET, so that links may lead there."""
        _, kind, name, *_ = [*path.split("/", 3), "", ""]
        manifests = self._manifests()
        found = self._find_name(manifests, name) if kind == "function" else None
        return found is not None and "GET" in manifests[found].options.methods

    def headers(self, origin: bytes | None, path: str) -> Headers:
        """Return the headers of a response to a request with this Origin header, or without one.

        Where the origin decides, each response says so. A cache could otherwise answer a page with
        a response that was made for another one.
        """
        listed = self._everywhere | (self._of_functions(path) or _NONE)
        if _ANY in listed:
            return ((b"access-control-allow-origin", _ANY), _EXPOSED)
        if not listed:
            return ()
        if origin is not None and origin in listed:
            return ((b"access-control-allow-origin", origin), _EXPOSED, _VARY)
        return (_VARY,)

    def _of_functions(self, path: str) -> Origins | None:
        """Return the origins that functions list for a path; None if it is about no call."""
        manifests = self._manifests()
        if manifests is not self._read:
            self._by_function = {n: _encoded(m.options.cors) for n, m in manifests.items()}
            self._together = _NONE.union(*self._by_function.values())
            self._read = manifests
        _, kind, name, rest, *_ = [*path.split("/", 3), "", "", ""]
        if kind == "functions" and name and rest in {"", "batch"}:
            return self._by_function.get(name, _NONE)
        if kind in {"invocations", "batches", "async-function"} and is_invocation_id(name):
            return self._together
        if kind in {"function", "async-function"}:
            return self._by_function.get(self._find_name(self._by_function, name) or "", _NONE)
        return None


def _encoded(origins: Iterable[str]) -> Origins:
    return frozenset(origin.encode() for origin in origins)
