"""Check the manifests that a loaded file claims to publish.

The manifests come from the process that loaded the file, so the file's own code may have forged
them. The publisher therefore checks them in its own process. A manifest must have the bundle's file
and version, and a name that follows from the sources: the name that the file stands for, a name
that begins with it and `.` or `_`, or a name written in the sources, either in full or without the
prefix of the file's folder.
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
    """Check that a file may publish these manifests.

    Raises:
        LoadError: A manifest is for another file or version, or its name is invalid, used twice, or
            does not follow from the sources.
    """
    seen: set[str] = set()
    for manifest in manifests:
        shown = repr(manifest.name[:_SHOWN_CHARACTERS])
        if (manifest.file, manifest.version) != (bundle.file, bundle.version) or manifest.error:
            text = f"the file tried to publish {shown} for another file or version"
            raise _refused(bundle, "Garbled", text)
        if not is_function_name(manifest.name):
            raise _refused(bundle, "BadName", f"{shown} is not a valid function name")
        if manifest.name in seen:
            raise _refused(bundle, "DuplicateName", f"{shown} is published twice in this file")
        seen.add(manifest.name)
        if not _is_accounted_for(manifest.name, bundle):
            own = bundle.default_name
            text = (
                f"the name {shown} is not written in the file; a computed name must begin with "
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
