"""How the certificate of Redis is verified, according to the parameters of its address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ssl

PARAMETERS = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile", "ssl_check_hostname")
_FILES = PARAMETERS[:3]
_SWITCHES = {"true": True, "false": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsConfig:
    """What a server's certificate is checked against, and our own certificate.

    Attributes:
        ca_certs: A file of certificates to trust instead of the system's.
        certfile, keyfile: Our own certificate and its key, if Redis requires one.
        check_hostname: Whether the certificate must be for the host in the address.
    """

    ca_certs: str | None = None
    certfile: str | None = None
    keyfile: str | None = None
    check_hostname: bool = True

    def context(self) -> ssl.SSLContext:
        """Return a new context for connections; the files are read each time."""
        import ssl  # noqa: PLC0415 - few need it, and commands start sooner without

        context = ssl.create_default_context(cafile=self.ca_certs)
        context.check_hostname = self.check_hostname
        if self.certfile is not None:
            context.load_cert_chain(self.certfile, self.keyfile)
        return context


def read_trust(query: Mapping[str, str]) -> TlsConfig:
    """Read the TLS parameters of an address.

    Raises:
        ValueError: One is wrong; the text says which and how.
    """
    for name in _FILES:
        if name in query and not Path(query[name]).is_file():
            raise ValueError(f"{name}: there is no file {query[name]!r}")
    switch = query.get("ssl_check_hostname", "true").lower()
    if switch not in _SWITCHES:
        raise ValueError("ssl_check_hostname: takes true or false")
    if "ssl_keyfile" in query and "ssl_certfile" not in query:
        raise ValueError("ssl_keyfile: needs ssl_certfile, the certificate of this key")
    return TlsConfig(
        ca_certs=query.get("ssl_ca_certs"),
        certfile=query.get("ssl_certfile"),
        keyfile=query.get("ssl_keyfile"),
        check_hostname=_SWITCHES[switch],
    )
