"""Which names a file may publish, judged where its own code cannot reach.

What a file publishes is told by the process that has loaded it, and so by the file itself. It may
tell of nothing but itself: its own file and version, and names that its text accounts for. Those
are the name it stands for and what begins with it, and names that are written in its sources: of
what it defines, below its folder's prefix, or in full.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from runtime.errors import LoadError
from runtime.registry.bundle import Bundle
from runtime.registry.manifest import Manifest
from runtime.sdk.option_parsing import is_function_name

_SHOWN_CHARACTERS = 80


def check_claims(bundle: Bundle, manifests: Iterable[Manifest]) -> None:
    """Refuse what a file may not publish.

    Raises:
        LoadError: It claims a name that is not its own, or speaks for another file.
    """
    seen: set[str] = set()
    for manifest in manifests:
        shown = repr(manifest.name[:_SHOWN_CHARACTERS])
        if (manifest.file, manifest.version) != (bundle.file, bundle.version) or manifest.error:
            raise _refused(bundle, "Garbled", f"the file spoke for another one, as {shown}")
        if not is_function_name(manifest.name):
            raise _refused(bundle, "BadName", f"{shown} cannot be a function's name")
        if manifest.name in seen:
            raise _refused(bundle, "DuplicateName", f"{shown} is published twice in this file")
        seen.add(manifest.name)
        if not _is_accounted_for(manifest.name, bundle):
            own = bundle.default_name
            text = (
                f"{shown} stands nowhere in the file; a name that is computed must begin with "
                f"'{own}.' or '{own}_'"
            )
            raise _refused(bundle, "BadName", text)


def _is_accounted_for(name: str, bundle: Bundle) -> bool:
    own = bundle.default_name
    if name == own or name.startswith((f"{own}.", f"{own}_")):
        return True
    if any(_has_word(source, name) for source in bundle.sources.values()):
        return True
    defined = name.removeprefix(bundle.prefix)
    is_below = name.startswith(bundle.prefix) and "." not in defined
    return is_below and _has_word(bundle.sources[bundle.file], defined)


def _has_word(source: bytes, word: str) -> bool:
    return re.search(rb"(?<![\w.])" + re.escape(word.encode()) + rb"(?![\w.])", source) is not None


def _refused(bundle: Bundle, kind: str, text: str) -> LoadError:
    return LoadError(kind, text, file=bundle.file, line=None)
