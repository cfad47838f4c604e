"""Small packages made on the spot, and those installed here packed again: an index in a folder.

Nothing is fetched: uv and pip find them by `find-links`.
"""

from __future__ import annotations

import base64
import hashlib
import io
import tarfile
import zipfile
from collections.abc import Mapping, Sequence
from importlib.metadata import distribution
from pathlib import Path

COMPANIONS = (
    "pydantic",
    "pydantic-core",
    "annotated-types",
    "typing-extensions",
    "typing-inspection",
)


def write_wheel(
    folder: Path,
    name: str,
    version: str,
    modules: Mapping[str, str],
    *,
    requires: Sequence[str] = (),
) -> Path:
    """Write a wheel of pure Python; `modules` are sources by path."""
    stem = f"{name.replace('-', '_')}-{version}"
    metadata = [f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}"]
    metadata += [f"Requires-Dist: {each}" for each in requires]
    files = {path: text.encode() for path, text in modules.items()}
    files[f"{stem}.dist-info/METADATA"] = ("\n".join(metadata) + "\n").encode()
    files[f"{stem}.dist-info/WHEEL"] = (
        b"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    )
    return _pack(folder / f"{stem}-py3-none-any.whl", files, f"{stem}.dist-info")


def write_sdist(folder: Path, name: str, version: str, backend: str) -> Path:
    """Write a source distribution with a build backend of its own, which needs nothing else."""
    stem = f"{name}-{version}"
    files = {
        "backend.py": backend,
        "PKG-INFO": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        "pyproject.toml": (
            "[build-system]\nrequires = []\nbuild-backend = 'backend'\nbackend-path = ['.']\n"
        ),
    }
    path = folder / f"{stem}.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for file, text in files.items():
            data = text.encode()
            entry = tarfile.TarInfo(f"{stem}/{file}")
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return path


def pack_installed(folder: Path, *names: str) -> None:
    """Write wheels of distributions that are installed here."""
    for name in names:
        found = distribution(name)
        files = {}
        for file in found.files or ():
            place = Path(str(found.locate_file(file)))
            if ".." not in file.parts and "__pycache__" not in file.parts and place.is_file():
                files[file.as_posix()] = place.read_bytes()
        info = next(Path(path).parts[0] for path in files if ".dist-info/" in path)
        wheel = files[f"{info}/WHEEL"].decode()
        tag = next(line.split()[1] for line in wheel.splitlines() if line.startswith("Tag:"))
        files = {path: data for path, data in files.items() if not _is_of_the_installer(path)}
        stem = info.removesuffix(".dist-info")
        _pack(folder / f"{stem}-{tag}.whl", files, info)


def _is_of_the_installer(path: str) -> bool:
    return path.endswith((".dist-info/RECORD", ".dist-info/INSTALLER", ".dist-info/REQUESTED"))


def _pack(path: Path, files: Mapping[str, bytes], info: str) -> Path:
    record = []
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
            digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            record.append(f"{name},sha256={digest},{len(data)}")
        record.append(f"{info}/RECORD,,")
        archive.writestr(f"{info}/RECORD", "\n".join(record) + "\n")
    return path
