"""Make a bundle importable in children that `multiprocessing` starts by spawn or forkserver.

Such a child is a new interpreter that imports the module of its target by name, but a bundle's
modules exist only in memory. So when anything first imports the part of `multiprocessing` that
starts such children, a package with the bundle's namespace is written to a private folder on
`sys.path`, which the children inherit. The package contains the bundle and imports its modules in
the child as `importer` does here.
"""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

from runtime.processes import import_hook
from runtime.processes.private_folder import own_folder
from runtime.registry.bundle import Bundle, decode_bundle

_STARTS_AFRESH = frozenset(
    {"multiprocessing.spawn", "multiprocessing.popen_spawn_posix", "multiprocessing.forkserver"}
    | {"joblib.externals.loky.backend.spawn", "loky.backend.spawn"}
)
_BUNDLE = "bundle"
_PACKAGE = f"""import sys
{import_hook.BOOT}
from runtime.registry.importer import serve_spawned
serve_spawned(sys.modules[__name__])
"""


def starts_afresh(module: str) -> bool:
    """Whether importing this module means that such children may be started."""
    return module in _STARTS_AFRESH


def may_start_afresh() -> bool:
    """Whether one of those modules has been imported in this process."""
    return not _STARTS_AFRESH.isdisjoint(sys.modules)


def write_package(bundle: Bundle, namespace: str) -> None:
    """Write the package that makes a bundle's modules importable in such children.

    Raises:
        OSError: The package cannot be written.
    """
    place = own_folder()
    folder = place / namespace
    folder.mkdir(mode=0o700, exist_ok=True)
    (folder / _BUNDLE).write_bytes(bundle.encode())
    (folder / "__init__.py").write_text(_PACKAGE, encoding="utf-8")
    if str(place) not in sys.path:
        sys.path.insert(0, str(place))  # before a folder of the same name


def bundle_of(package: ModuleType) -> Bundle:
    """Return the bundle stored beside a package's file."""
    return decode_bundle(Path(str(package.__file__)).with_name(_BUNDLE).read_bytes())
