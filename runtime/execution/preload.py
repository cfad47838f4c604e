"""Importing this runs a small function once, so that forked children need not warm up.

The fork server of a worker imports it. pydantic searches all installed packages for plugins when it
builds its first model, and some modules are imported at the first call only. A child forked after
that loads a small file in 5 ms instead of 30.
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
    """Load a file, call its function and unload it; leave no event loop to forked children."""
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


with contextlib.suppress(Exception):  # what fails here fails in the child too, which reports it
    warm_up()
