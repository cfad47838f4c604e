"""The frames between `penstock run` and the process that runs the function.

→ bundle                                          answered by `loaded`, manifests, or `failed`
→ run, name, id, arguments, request
← progress | item | event, payload                any number
← done, ending, result
"""

from __future__ import annotations

from typing import Final

LOADED: Final = b"loaded"
FAILED: Final = b"failed"
MOST_BYTES: Final = 1_073_741_824  # of a result; the size limit of a system does not apply
