"""The reference page: Scalar out of the offapi package, whole in one file.

Works without a network: script and style are inside, the configuration turns off what
would ask other hosts, and the content security policy forbids the rest.
"""

from __future__ import annotations

import json

_CONFIGURATION = {
    "theme": "default",
    "withDefaultFonts": False,
    "telemetry": False,
    "agent": {"disabled": True},
    "mcp": {"disabled": True},
    "showDeveloperTools": "never",
    "hideClientButton": True,
    "documentDownloadType": "direct",
    "defaultOpenAllTags": False,
}
_TEMPLATE_CONFIGURATION = "theme: 'purple',"
_TITLE = "<title>API Reference</title>"
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval' blob:; "
    "style-src 'unsafe-inline'; img-src 'self' data: blob:; font-src data:; "
    "connect-src 'self'; worker-src blob:; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)


def reference_page() -> bytes:
    """Return the page.

    Raises:
        ValueError: The package's template is not the one this was written for.
    """
    from offapi import OpenAPITemplate  # noqa: PLC0415 - reads 8 MB, and only /docs needs it

    page = OpenAPITemplate.SCALAR.value.format(spec_url="/openapi.json")
    for expected in (_TEMPLATE_CONFIGURATION, _TITLE):
        if page.count(expected) != 1:
            raise ValueError(f"offapi's template no longer has {expected!r}")
    members = json.dumps(_CONFIGURATION)[1:-1] + ","
    page = page.replace(_TEMPLATE_CONFIGURATION, members)
    return page.replace(_TITLE, "<title>Penstock functions</title>").encode()
