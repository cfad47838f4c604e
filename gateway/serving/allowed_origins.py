"""The origins whose web pages may call the gateway and read its responses (CORS).

`PENSTOCK_CORS_ORIGINS` lists origins for every path, and `@function(cors=…)` those of one function.
The path decides: it is known of every request, even of one that is refused before it is routed.
Credentials are never allowed, so a browser lets no page of another origin read what a cookie or a
remembered password was answered.

Falcon's own CORS middleware has one list for all routes, and never sees what is refused before
Falcon starts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from runtime.registry.manifest import Manifest
from runtime.sdk.option_parsing import is_function_name
from runtime.sdk.origins import ANY_ORIGIN

Headers = tuple[tuple[bytes, bytes], ...]
_ANY = ANY_ORIGIN.encode()
_VARY = (b"vary", b"Origin")
# `*` is for headers that a function sets itself.
_EXPOSED = (
    b"access-control-expose-headers",
    b"Location, Retry-After, Preference-Applied, X-Call-Id, ETag, Link, RateLimit, "
    b"RateLimit-Policy, Idempotency-Replayed, X-Duration-Seconds, *",
)
_INVOKING = frozenset({"functions", "function", "async-function"})
_FOLLOWING = frozenset({"invocations", "batches", "async-function"})
# Operations on all invocations, which no function's list opens.
_BULK = frozenset({"", "retry", "cancel"})


class _OfFunctions(NamedTuple):
    """What the manifests say: the origins of each function, and those of all together."""

    by_name: Mapping[str, frozenset[bytes]]
    together: frozenset[bytes]


class AllowedOrigins:
    """Decides by path whether pages of an origin may use it.

    A function's origins may use the paths of the function, and those that follow an invocation or
    a batch. The latter have an id that only the API tells, so they are open to the origins of
    every function.

    Args:
        everywhere: The origins that may use every path.
        manifests: Returns the published functions, in a mapping that never changes in place.
    """

    def __init__(
        self,
        everywhere: Iterable[str] = (),
        manifests: Callable[[], Mapping[str, Manifest]] = dict,
    ) -> None:
        self._everywhere = frozenset(origin.encode() for origin in everywhere)
        self._manifests = manifests
        self._read: Mapping[str, Manifest] | None = None
        self._of_functions = _OfFunctions({}, frozenset())

    def allow(self, origin: bytes, path: str) -> bool:
        """Whether pages of this origin may use the path."""
        listed = self._listed(path)
        return origin in listed or _ANY in listed

    def allow_without_key(self, origin: bytes, path: str) -> bool:
        """Whether pages of this origin may change something there without a key.

        Only calls may do that, on a gateway that needs no key. Everything else asks for a key.
        """
        return _part_of(path) is not None and self.allow(origin, path)

    def headers(self, origin: bytes | None, path: str) -> Headers:
        """Return the headers of a response to a request with this header Origin, or without one.

        Where the origin decides, each response says so, or a cache could give a response without
        the headers to a page that may read it.
        """
        listed = self._listed(path)
        if _ANY in listed:
            return ((b"access-control-allow-origin", _ANY), _EXPOSED) if origin else ()
        if not listed:
            return ()
        if origin in listed:
            return ((b"access-control-allow-origin", origin), _EXPOSED, _VARY)
        return (_VARY,)

    def _listed(self, path: str) -> frozenset[bytes]:
        if _ANY in self._everywhere:
            return self._everywhere
        of_functions = self._read_manifests()
        part = _part_of(path) if of_functions.together else None
        if part is None:
            return self._everywhere
        more = of_functions.by_name.get(part) if part else of_functions.together
        return self._everywhere | more if more else self._everywhere

    def _read_manifests(self) -> _OfFunctions:
        manifests = self._manifests()
        if manifests is not self._read:
            by_name = {
                name: frozenset(origin.encode() for origin in manifest.options.cors)
                for name, manifest in manifests.items()
            }
            self._read = manifests
            self._of_functions = _OfFunctions(by_name, frozenset().union(*by_name.values()))
        return self._of_functions


def _part_of(path: str) -> str | None:
    """Return the function that a path belongs to; "" if it follows an invocation; else None."""
    _, kind, name, *_ = [*path.split("/", 3), "", ""]
    if kind in _INVOKING and is_function_name(name):
        return name
    return "" if kind in _FOLLOWING and name not in _BULK else None
