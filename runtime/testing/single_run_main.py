"""The child's side of `single_run`: load one bundle, run one function of it once, and answer.

It may run in an environment of the function's own, so it imports nothing but our packages and
pydantic. What the function prints goes to standard error, as it comes; standard input is the
caller's, so a debugger works.
"""

from __future__ import annotations

import json
import logging
import os
import socket
import sys
from dataclasses import asdict

from pydantic_core import to_json

from runtime.errors import ChannelClosedError, LoadError
from runtime.execution.call_function import perform
from runtime.execution.context_log import LOG_FORMAT, FunctionLog
from runtime.execution.notes import context_of
from runtime.execution.runner_codec import encode_ending
from runtime.execution.runner_protocol import DONE, ITEM, Start
from runtime.processes.channel import Channel
from runtime.processes.child_limits import die_with_parent
from runtime.registry.bundle import decode_bundle
from runtime.registry.loaded_function import LoadedFunction
from runtime.registry.loading import load
from runtime.registry.manifest import fault_of
from runtime.sdk.exception_names import PUBLIC_NAMESPACE
from runtime.testing.single_run_protocol import FAILED, LOADED, MOST_BYTES


def main() -> None:
    """Serve the channel whose descriptor, and the parent whose pid, are the arguments."""
    descriptor, parent = map(int, sys.argv[1:])
    die_with_parent(parent)
    os.set_inheritable(descriptor, False)  # noqa: FBT003 - takes no keyword
    sys.dont_write_bytecode = True
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    logging.basicConfig(level=logging.INFO, format=LOG_FORMAT, force=True)
    channel = Channel(socket.socket(fileno=descriptor), max_frame_bytes=MOST_BYTES)
    try:
        serve(channel)
    except (KeyboardInterrupt, ChannelClosedError):
        os._exit(1)
    sys.stderr.flush()
    os._exit(0)  # as in a runner: what the function has left running ends with it


def serve(channel: Channel) -> None:
    """Answer a bundle with the manifests of its functions, then run what is asked for."""
    [encoded] = channel.receive()
    try:
        functions = load(decode_bundle(encoded), namespace=PUBLIC_NAMESPACE)
    except LoadError as error:
        channel.send(FAILED, json.dumps(asdict(fault_of(error))).encode())
        return
    manifests = [each.manifest for each in functions.values()]
    channel.send(LOADED, to_json(manifests, bytes_mode="base64", inf_nan_mode="null"))
    _, name, call_id, arguments, request = channel.receive()
    function = functions[name.decode()]
    timeout_s = function.manifest.options.timeout_s
    start = Start(1, call_id.decode(), function.manifest.name, 1, timeout_s)
    _run(channel, function, start, arguments, request or None)


def _run(
    channel: Channel,
    function: LoadedFunction,
    start: Start,
    arguments: bytes,
    request: bytes | None,
) -> None:
    pid = os.getpid()
    ending, result = perform(
        function,
        arguments,
        request=request,
        context=context_of(
            start, channel.send, timeout_s=start.timeout_s, log=FunctionLog(_write_line)
        ),
        send_item=lambda item: channel.send(ITEM, item),
        max_result_bytes=MOST_BYTES,
    )
    if os.getpid() != pid:  # the function has forked, and this is the fork
        os._exit(0)
    channel.send(DONE, encode_ending(ending), result)


def _write_line(line: str) -> None:
    sys.stderr.write(f"{line}\n")
