"""Making API keys for tests, as the command line makes them."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.auth.key_body import NewKey
from gateway.auth.key_view import draw_callback_secret, making
from runtime.access.api_key import generate_key_text
from runtime.store.blocking_connection import BlockingConnection


@dataclass(frozen=True, kw_only=True)
class MadeKey:
    """A key, as its holder has it."""

    id: str
    text: str
    callback_secret: str | None

    @property
    def headers(self) -> dict[str, str]:
        """What shows it."""
        return {"Authorization": f"Bearer {self.text}"}


def make_key(
    connection: BlockingConnection,
    name: str,
    *scopes: str,
    rate: str = "",
    lifetime_ms: int = 0,
    wants_secret: bool = False,
) -> MadeKey:
    """Make a key in the Redis of a system."""
    text, secret = generate_key_text(), draw_callback_secret()
    new = NewKey(
        name=name,
        scopes=scopes,
        rate=rate,
        lifetime_ms=lifetime_ms,
        wants_secret=wants_secret,
    )
    made = connection.run(making(text, new, secret))
    return MadeKey(
        id=text.id, text=text.write(), callback_secret=secret if made.took_secret else None
    )
