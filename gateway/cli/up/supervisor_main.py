"""The process that `penstock up` becomes after its checks: processes, log and greeting.

`up` replaces itself with `python -m gateway.cli.up.supervisor_main`, because the modules that its
checks loaded would otherwise stay in memory for as long as the system runs. Flags say what to run;
addresses and secrets reach the processes through the environment, never on a command line.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from gateway.cli.up.data_folder import UpState, remove_state, write_state
from gateway.cli.up.embedded_redis import redis_command
from gateway.cli.up.log_merge import Log
from gateway.cli.up.managed_process import ProcessSpec
from gateway.cli.up.readiness import Probe, Readiness, choose_function, curl_line
from gateway.cli.up.supervisor import OWN_NAME, REDIS, Supervisor
from runtime.processes.environment import clean_environment, hide_from_own_user
from runtime.processes.module_path import module_command
from runtime.settings import read_environment

GATEWAY = "gateway"
_ACCESS = {
    "open": "not required: only this machine can reach the gateway",
    "keys": "required: show one, or create one with penstock keys create --name NAME --scope SCOPE",
    "insecure": "NOT REQUIRED, though others can reach the gateway",
}
_GATEWAY_STOP_LIMIT_S = 15.0
_WORKER_STOP_MARGIN_S = 10.0  # beyond `drain_s`, which it gives to running attempts
_REDIS_STOP_LIMIT_S = 20.0


def main() -> int:
    """Run the processes that the flags describe; return the exit code."""
    hide_from_own_user()
    flags = _flags().parse_args()
    socket_path = Path(flags.redis_socket) if flags.redis_server else None
    stages = _stages(flags, socket_path)
    longest_name = max(len(plan.name) for stage in stages for plan in stage)
    log = Log(
        sys.stdout,
        width=max(longest_name, len(OWN_NAME)),
        colour=flags.colour,
        for_machines=flags.for_machines,
        clock=lambda: datetime.now().astimezone(),
    )
    probe = Probe(flags.probe_host, flags.port)

    def note_parts(pids: dict[str, int]) -> None:
        write_state(Path(flags.data), UpState(url=flags.url, pid=os.getpid(), parts=pids))

    supervisor = Supervisor(
        stages,
        log=log,
        may_continue=lambda index: index > 0 or socket_path is None or _listens(socket_path),
        is_ready=Readiness(probe, Path(flags.functions), time.monotonic),
        on_ready=functools.partial(_greet, log, flags, probe, time.monotonic() - flags.spent_s),
        on_change=note_parts,
    )
    try:
        return int(supervisor.run())
    finally:
        remove_state(Path(flags.data))
        if socket_path is not None:
            _remove_socket(socket_path, Path(flags.data))
        log.write(OWN_NAME, "stopped")


def _stages(flags: argparse.Namespace, socket_path: Path | None) -> list[list[ProcessSpec]]:
    """Return the stages: Redis (unless it runs elsewhere), then the workers, then the gateway."""
    stages = []
    if socket_path is not None:
        redis = ProcessSpec(
            name=REDIS,
            command=tuple(redis_command(flags.redis_server, Path(flags.data), socket_path)),
            death_signal=signal.SIGTERM,  # it saves, and holds the lock until it is done
            stop_limit_s=_REDIS_STOP_LIMIT_S,
            descriptors=(flags.lock_fd,),
            environment=clean_environment(read_environment()),  # Redis needs none of our secrets
        )
        stages.append([redis])
    workers = [
        ProcessSpec(
            name=f"worker-{number}",
            command=tuple(module_command("runtime.worker")),
            death_signal=signal.SIGKILL,  # its runners die too; other workers requeue its attempts
            stop_limit_s=flags.drain_s + _WORKER_STOP_MARGIN_S,
            environment=read_environment(),  # without the secrets of webhooks
        )
        for number in range(1, flags.workers + 1)
    ]
    gateway = ProcessSpec(
        name=GATEWAY,
        command=(
            *module_command("gateway.serving"),
            *("--bind", f"fd://{flags.listen_fd}"),
        ),
        death_signal=signal.SIGTERM,  # gunicorn's arbiter stops its own processes
        stop_limit_s=_GATEWAY_STOP_LIMIT_S,
        descriptors=(flags.listen_fd,),
    )
    return [*stages, workers, [gateway]]


def _greet(log: Log, flags: argparse.Namespace, probe: Probe, began_at: float) -> None:
    """Print the URLs and the first command to try."""
    if flags.for_machines:
        log.write(OWN_NAME, f"ready at {flags.url}")
        return
    lines = [f"Penstock is ready after {time.monotonic() - began_at:.1f} s.", ""]
    lines.append(f"  docs       {flags.url}/docs")
    if probe.has_route("/dashboard"):
        lines.append(f"  dashboard  {flags.url}/dashboard")
    chosen = choose_function(probe.functions()) if flags.access != "keys" else None
    if flags.access == "keys":
        lines.append("  try it     PENSTOCK_KEY=… penstock ls")
    elif chosen is not None:
        lines.append(f"  try it     {curl_line(flags.url, chosen)}")
    else:
        lines.append("  no functions yet: penstock new hello")
    lines.append(f"  keys       {_ACCESS[flags.access]}")
    if flags.secret_file:
        lines.append(f"  callbacks  signed with the secret in {flags.secret_file}")
    log.write_plain("\n".join(["", *lines, ""]))


def _listens(path: Path) -> bool:
    """Whether a server accepts connections on the socket; it may still be loading its data."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        return client.connect_ex(str(path)) == 0


def _remove_socket(path: Path, data: Path) -> None:
    """Remove the socket and its folder if the socket is not in the data folder."""
    if data not in path.parents:
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)
            path.parent.rmdir()


def _flags() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m gateway.cli.up.supervisor_main")
    kinds: dict[str, Callable[[str], object]] = {
        "url": str, "probe-host": str, "port": int, "workers": int, "data": str, "functions": str,
        "redis-server": str, "redis-socket": str, "listen-fd": int, "lock-fd": int,
        "drain-s": float, "secret-file": str, "spent-s": float, "access": str,
    }  # fmt: skip
    for name, kind in kinds.items():
        parser.add_argument(f"--{name}", type=kind)
    parser.add_argument("--colour", action="store_true")
    parser.add_argument("--for-machines", action="store_true")
    return parser


if __name__ == "__main__":
    sys.exit(main())
