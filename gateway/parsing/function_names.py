"""Which published function an OpenFaaS client means by a name.

Its names have hyphens where ours have `_`, and `faas-cli` appends the namespace after a dot, which
separates folders here. So a name is looked up in three forms, as given first. Parts are never
turned around: `a.b` is never `b.a`.
"""

from __future__ import annotations

from collections.abc import Container

NAMESPACE = "openfaas-fn"


def find_name(manifests: Container[str], name: str) -> str | None:
    """Return the published name that `name` means; None if there is none."""
    plain = name.removesuffix(f".{NAMESPACE}")
    for form in (name, plain, plain.replace("-", "_")):
        if form in manifests:
            return form
    return None


def is_namespace(text: str) -> bool:
    """Whether a query means our only namespace; "" does."""
    return text in ("", NAMESPACE)
