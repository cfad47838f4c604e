"""Importing this walks the way of a first call once, so that children need not.

Preloaded by the fork server of a worker. pydantic looks for its plugins in every installed
package when it builds its first model, and some modules come with the first use only; a child
that is forked after that loads a small file in 5 ms instead of 30.
"""

from __future__ import annotations

import asyncio
import contextlib

from runtime.execution.call_function import perform
from runtime.registry.bundle import Bundle
from runtime.registry.loading import load
from runtime.sdk.context import Context

_FILE = "warming.py"
_SOURCE = b'''
from typing import Annotated
from penstock import Context
from pydantic import Field

def warming(text: str, count: Annotated[int, Field(ge=0)] = 1) -> list[str]:
    """Repeat a text.

    Args:
        text: What to repeat.
        count: How often.
    """
    return [text] * count
'''


def warm_up() -> None:
    """Load a file, call its function and forget it; leave no event loop for children to share."""
    bundle = Bundle(root="functions", file=_FILE, sources={_FILE: _SOURCE})
    [function] = load(bundle).values()
    context = Context(id="", function=function.manifest.name, attempt=1, timeout_s=1)
    perform(
        function,
        b'{"text": "warm"}',
        request=None,
        context=context,
        send_item=lambda _: None,
        max_result_bytes=64,
    )
    function.unload()
    asyncio.run(asyncio.sleep(0))


with contextlib.suppress(Exception):  # what fails here fails in the child too, and is told there
    warm_up()
