"""A resource that needs nothing but the store."""

from __future__ import annotations

from runtime.store.async_connection import AsyncConnection


class StoreResource:
    """The base of the resources whose only collaborator is the store."""

    def __init__(self, store: AsyncConnection) -> None:
        self._store = store
