"""The query parameters that routes share, as the route table and the document show them.

How each is read is in `gateway.wishes` and `gateway.pages`.
"""

from __future__ import annotations

from gateway.operations import Parameter

PRIORITY = Parameter(
    name="priority",
    description="0 to 9, higher first; the function's own priority if not given.",
    minimum=0,
    maximum=9,
)
DELIVERY_STATUS = Parameter(
    name="status",
    description="Only deliveries of this status.",
    choices=("pending", "delivered", "failed", "stopped"),
)
DELIVERY_LIMIT = Parameter(
    name="limit", description="Most items in one answer.", minimum=1, maximum=200
)
CURSOR = Parameter(name="cursor", description="`next` of the answer before.")
