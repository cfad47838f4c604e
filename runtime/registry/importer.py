"""Import a bundle's modules from its bytes, in a namespace of their own.

Each bundle becomes a package tree under one name in `sys.modules` ("functions", or
"functions_<version>" if that is taken), so a process can have several versions loaded. Absolute
imports of helpers (`import _rates`, `from billing import _rates`,
`import functions.billing._rates`) are resolved by an `__import__` that only the bundle's own
modules get. So a helper's name never affects other code, and a helper may have the name of a
private module of the standard library.

Limits: `importlib.import_module` finds helpers by their full name only. In tracebacks, two
versions of one file show the source lines of the version that was loaded last.
"""

from __future__ import annotations

import builtins
import contextlib
import importlib.util
import linecache
import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib.abc import InspectLoader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path, PurePosixPath
from types import CodeType, ModuleType
from typing import Any

from runtime.registry.bundle import Bundle
from runtime.registry.spawned_main import bundle_of, may_start_afresh, starts_afresh, write_package
from runtime.sdk.exception_names import PUBLIC_NAMESPACE


class ModuleSpace(MetaPathFinder, InspectLoader):
    """Finder and loader of one bundle's modules, all under `namespace`."""

    def __init__(self, bundle: Bundle, namespace: str | None = None) -> None:
        self.bundle = bundle
        self.namespace = namespace or _free_namespace(bundle.version)
        self._files = dict(_modules_of(bundle.sources))
        self._aliases = {PUBLIC_NAMESPACE, PurePosixPath(bundle.root).name, self.namespace}
        self._own = bundle.default_name
        self._is_written = False
        self._builtins = {**vars(builtins), "__import__": self._import}

    def import_function_file(self) -> ModuleType:
        """Run the function file and return its module."""
        if self not in sys.meta_path:
            sys.meta_path.insert(0, self)
        if may_start_afresh():
            self._serve_spawned()
        importlib.import_module(f"{self.namespace}.{self._own}")
        return sys.modules[f"{self.namespace}.{self._own}"]

    def remove(self) -> None:
        """Remove the modules from `sys.modules`, so that their memory can be freed after use."""
        if self in sys.meta_path:
            sys.meta_path.remove(self)
        for name in list(sys.modules):
            if name == self.namespace or name.startswith(f"{self.namespace}."):
                del sys.modules[name]

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,  # noqa: ARG002 - the import protocol's signature
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> ModuleSpec | None:
        """Find modules in the namespace, and no others (import protocol)."""
        if fullname.partition(".")[0] != self.namespace:
            if starts_afresh(fullname):
                self._serve_spawned()
            return None
        name = fullname[len(self.namespace) + 1 :]
        if name not in self._files:
            raise ModuleNotFoundError(self._why_missing(name), name=fullname)
        file = self._files[name]
        origin = None if file is None else self.bundle.path_of(file)
        spec = ModuleSpec(fullname, self, origin=origin, is_package=self.is_package(fullname))
        spec.has_location = origin is not None
        return spec

    def _serve_spawned(self) -> None:
        """Let processes started by `multiprocessing` import these modules too."""
        if not self._is_written:
            self._is_written = True
            with contextlib.suppress(OSError):  # for example a full disk: then they cannot
                write_package(self.bundle, self.namespace)

    def exec_module(self, module: ModuleType) -> None:
        """Run a module's source from the bundle (import protocol)."""
        code = self.get_code(module.__name__)
        vars(module)["__builtins__"] = self._builtins
        if code is not None:
            exec(code, vars(module))  # noqa: S102 - running the author's file is the purpose

    def get_code(self, fullname: str) -> CodeType | None:
        """Compile a module; never reads or writes a .pyc (import protocol)."""
        file = self._files[fullname[len(self.namespace) + 1 :]]
        if file is None:
            return None
        source, path = self.bundle.sources[file], self.bundle.path_of(file)
        lines = source.decode("utf-8", "replace").splitlines(keepends=True)
        linecache.cache[path] = (len(source), None, lines, path)
        return compile(source, path, "exec", dont_inherit=True)

    def get_source(self, fullname: str) -> str | None:
        """Return a module's source text (import protocol)."""
        file = self._files.get(fullname[len(self.namespace) + 1 :])
        return None if file is None else importlib.util.decode_source(self.bundle.sources[file])

    def get_filename(self, fullname: str) -> str:
        """Return the path that a module has as its `__file__` (import protocol)."""
        return self.bundle.path_of(self._files[fullname[len(self.namespace) + 1 :]] or "")

    def get_data(self, path: str) -> bytes:
        """Read a file beside a module, for pkgutil.get_data (import protocol)."""
        file = self.bundle.file_of(path)
        return Path(path).read_bytes() if file is None else self.bundle.sources[file]

    def is_package(self, fullname: str) -> bool:
        """Whether a module is a package (import protocol)."""
        file = self._files[fullname[len(self.namespace) + 1 :]]
        return file is None or PurePosixPath(file).name == "__init__.py"

    def _import(
        self,
        name: str,
        globals: Mapping[str, Any] | None = None,  # noqa: A002 - as in builtins.__import__
        locals: Mapping[str, Any] | None = None,  # noqa: A002
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> ModuleType:
        """Replace builtins.__import__ within the bundle's modules."""
        if level > 0:
            return __import__(name, globals, locals, fromlist or (), level)
        package = str((globals or {}).get("__package__") or self.namespace)
        is_ours = name.partition(".")[0] == PUBLIC_NAMESPACE  # never import the folder on disk
        if found := self._resolve(name, package, fromlist or (), loosely=is_ours):
            return self._import_resolved(found, name, fromlist or ())
        if is_ours:
            raise ModuleNotFoundError(self._why_missing(name), name=name)
        try:
            return __import__(name, globals, locals, fromlist or (), 0)
        except ModuleNotFoundError as error:
            if error.name != name.partition(".")[0]:
                raise
            if found := self._resolve(name, package, fromlist or (), loosely=True):
                return self._import_resolved(found, name, fromlist or ())
            raise ModuleNotFoundError(self._why_missing(name), name=name) from None

    def _import_resolved(self, found: str, name: str, fromlist: Sequence[str]) -> ModuleType:
        __import__(found, None, None, fromlist, 0)
        # `import a.b.c` binds a; `from a.b import c` needs b.
        return sys.modules[found if fromlist else found.rsplit(".", name.count("."))[0]]

    def _resolve(
        self, name: str, package: str, fromlist: Sequence[str], *, loosely: bool = False
    ) -> str | None:
        """Return the full name of the bundle's module that an absolute import refers to.

        A plain folder, or the function file itself, must not hide an installed module of the same
        name. So it counts only if the import takes a helper from it, or if `loosely` is set, which
        is the case when nothing else was found.
        """
        for candidate in self._candidates(name, package):
            if candidate not in self._files:
                continue
            below = f"{candidate}." if candidate else ""
            is_helper = self._files[candidate] is not None and candidate != self._own
            is_named_in_full = candidate == self._own and name != self._own.rpartition(".")[2]
            gives_helper = any(f"{below}{member}" in self._files for member in fromlist)
            if loosely or is_helper or is_named_in_full or gives_helper:
                return f"{self.namespace}.{candidate}" if candidate else self.namespace
        return None

    def _candidates(self, name: str, package: str) -> Iterator[str]:
        folder = package[len(self.namespace) + 1 :]
        while folder:
            yield f"{folder}.{name}"
            folder = folder.rpartition(".")[0]
        yield name
        top, _, rest = name.partition(".")
        if top in self._aliases:
            yield rest

    def _why_missing(self, name: str) -> str:
        top, _, rest = name.partition(".")
        below = (rest if top in self._aliases else name).replace(".", "/")
        if below and Path(self.bundle.root, f"{below}.py").is_file():
            return (
                f"{name!r} is a function file, and function files cannot import each other; move "
                "shared code into a helper: a file in the same folder whose name starts with _"
            )
        return f"No module named {name!r}"


def serve_spawned(package: ModuleType) -> None:
    """Make a package serve the bundle stored beside its file, in a `multiprocessing` child.

    The package that `spawned_main` has written calls it while it is imported.
    """
    space = ModuleSpace(bundle_of(package), package.__name__)
    sys.meta_path.insert(0, space)
    spec = space.find_spec(package.__name__, None)
    package.__spec__, package.__loader__ = spec, space
    package.__path__ = []
    if spec is not None and spec.has_location:
        package.__file__ = spec.origin
    else:
        del package.__file__
    space.exec_module(package)


def _modules_of(sources: Mapping[str, bytes]) -> Iterator[tuple[str, str | None]]:
    """Yield the dotted names below the namespace with their files (None for a plain folder)."""
    packages, modules = {}, {}
    folders = {""}
    for file in sources:
        path = PurePosixPath(file)
        parent = ".".join(path.parent.parts)
        folders |= {".".join(path.parent.parts[:i]) for i in range(len(path.parent.parts) + 1)}
        if path.name == "__init__.py":
            packages[parent] = file
        else:
            modules[f"{parent}.{path.stem}" if parent else path.stem] = file
    yield from {**dict.fromkeys(folders), **modules, **packages}.items()


def _free_namespace(version: str) -> str:
    if PUBLIC_NAMESPACE not in sys.modules:
        return PUBLIC_NAMESPACE
    wanted = name = f"{PUBLIC_NAMESPACE}_{version}"
    count = 1
    while name in sys.modules:
        count += 1
        name = f"{wanted}_{count}"
    return name
