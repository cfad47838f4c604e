"""HTTP header fields as a mapping."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping


class Headers(Mapping[str, str]):
    """Header fields; lookup ignores the case of names, iteration keeps it."""

    __slots__ = ("_fields",)

    def __init__(self, fields: Mapping[str, str] | None = None) -> None:
        self._fields = {name.lower(): (name, value) for name, value in (fields or {}).items()}

    @classmethod
    def of(cls, fields: Iterable[tuple[str, str]]) -> Headers:
        """Return the headers of (name, value); repeated fields are joined (RFC 9110, 5.2)."""
        joined: dict[str, tuple[str, str]] = {}
        for name, value in fields:
            known = joined.get(name.lower())
            joined[name.lower()] = (
                (name, value) if known is None else (known[0], f"{known[1]}, {value}")
            )
        return cls(dict(joined.values()))

    def __getitem__(self, name: str) -> str:
        return self._fields[name.lower()][1]

    def __iter__(self) -> Iterator[str]:
        return (name for name, _ in self._fields.values())

    def __len__(self) -> int:
        return len(self._fields)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._fields

    def __repr__(self) -> str:
        return f"Headers({dict(self)!r})"
