"""Memory that runs out is told as memory, whoever notices; threads count for little of it."""

from __future__ import annotations

import pytest

from runtime.errors import LoadError
from runtime.processes.environment import clean_environment
from runtime.processes.fork_server import ForkServer
from runtime.registry.child_load import PRELOAD, inspect
from runtime.settings import read_environment
from tests.integration.execution.bench import error_of
from tests.integration.execution.written import write

MB = 1_000_000
# Native threads with the stack that the C library gives them, as those of BLAS have it.
NATIVE = """
import ctypes, signal, threading, time
C = ctypes.CDLL(None)
SLEEP = ctypes.cast(C.sleep, ctypes.c_void_p)

def start_native(count):
    "Return how many could be started; they sleep."
    thread = ctypes.c_ulong()
    for n in range(count):
        if C.pthread_create(ctypes.byref(thread), None, SLEEP, ctypes.c_void_p(30)) != 0:
            return n
    return count

def take(size):
    "Map memory as a C library does: no exception, only no address."
    C.mmap.restype = ctypes.c_void_p
    return C.mmap(None, ctypes.c_size_t(size), 3, 0x22, -1, 0) not in {None, 2**64 - 1}
"""


def test_hundreds_of_threads_fit_in_the_default_memory(bench):
    written = write(
        """
        import time
        from concurrent.futures import ThreadPoolExecutor
        def f(threads: int):
            with ThreadPoolExecutor(threads) as pool:
                return sum(pool.map(lambda _: time.sleep(0.3) or 1, range(threads)))
        """
    )

    assert bench.run(written, b'{"threads": 300}').result == b"300"


def test_hundreds_of_native_threads_fit_in_the_default_memory(bench):
    written = write(f"{NATIVE}\ndef f(): return start_native(300)")

    assert bench.run(written).result == b"300"


def test_eight_threads_fit_in_the_least_that_a_file_needs(bench):
    written = write(f"{NATIVE}\ndef f(): return start_native(8)", memory_bytes=48 * MB)

    assert bench.run(written).result == b"8"


RUN_OUT = {
    "threads of Python": "[threading.Thread(target=time.sleep, args=(9,), daemon=True).start()"
    " for _ in range(999)]",
    "object": "bytearray(900_000_000)",
    "many objects": "[bytes(1_000_000) for _ in range(999)]",
    "mapping": "__import__('mmap').mmap(-1, 900_000_000, flags=0x22)",
    "interrupt of a library": "start_native(999) < 999 and signal.raise_signal(signal.SIGINT)",
    "exit of a library": "take(900_000_000) or [take(9_000_000) for _ in range(99)] and C.exit(1)",
    "library that cannot be mapped": "[take(1_000_000) for _ in range(999)] and "
    "exec(\"raise ImportError('libx.so: failed to map segment from shared object')\")",
}


@pytest.mark.parametrize("what", RUN_OUT)
@pytest.mark.parametrize("when", ["called", "loaded"])
def test_memory_that_runs_out_is_told_as_memory(bench, what, when):
    body = f"def f(): {RUN_OUT[what]}" if when == "called" else f"{RUN_OUT[what]}\ndef f(): ..."

    error = error_of(bench.run(write(f"{NATIVE}\n{body}", memory_bytes=96 * MB)))

    assert error["type"] == "out_of_memory"
    assert 'memory="96MB"' in error["message"]


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("signal.raise_signal(signal.SIGINT)", "exception"),
        ("C.exit(1)", "exited"),
        ("exec(\"raise ImportError('failed to map segment')\")", "exception"),
        (
            "exec(\"raise RuntimeError('can't start new thread')\")".replace("can't", "cannot"),
            "exception",
        ),
    ],
)
def test_the_same_with_memory_left_is_told_as_what_it_is(bench, body, kind):
    assert error_of(bench.run(write(f"{NATIVE}\ndef f(): {body}")))["type"] == kind


RECURSIONS = """
import json, pickle, re, threading
class Deep:
    def __init__(self, inner=None): self.inner = inner
    def __repr__(self): return f"{self.inner!r}"
    def __getattr__(self, name): return getattr(self, name + "x")
    def __call__(self): return max([1, 2], key=lambda _: self())
    def __eq__(self, other): return [self] == [other]
def nested(depth, make):
    value = make(None)
    for _ in range(depth): value = make(value)
    return value
WAYS = [
    lambda: Deep().missing, lambda: Deep()(), lambda: repr(nested(5000, Deep)),
    lambda: Deep() == Deep(), lambda: repr(nested(5000, lambda v: [v])),
    lambda: json.dumps(nested(5000, lambda v: {"v": v})), lambda: json.loads("[" * 5000),
    lambda: pickle.dumps(nested(5000, lambda v: (v,))), lambda: eval("-" * 5000 + "1"),
    lambda: re.compile("(" * 3000 + ")" * 3000),
]
def f(way: int):
    found = []
    def run():
        try: WAYS[way]()
        except (RecursionError, MemoryError) as error: found.append("refused")
        else: found.append("done")
    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return found
"""


@pytest.mark.parametrize("way", range(10))
def test_a_thread_has_stack_enough_to_find_that_it_recurses_too_deep(bench, way):
    assert bench.run(write(RECURSIONS), b'{"way": %d}' % way).result in {
        b'["refused"]',
        b'["done"]',
    }


def test_a_limit_below_what_the_file_takes_is_an_error_when_it_loads():
    server = ForkServer(preload=PRELOAD, environment=clean_environment(read_environment()))
    source = """
    from penstock import function
    KEPT = bytes(60_000_000)
    @function(name="f", memory="64MB")
    def f(): ...
    """
    try:
        with pytest.raises(
            LoadError, match=r'out_of_memory: f: memory="64MB" is too little: .* uses \d+MB'
        ):
            inspect(server, write(source).bundle)
        assert inspect(server, write(source.replace("64MB", "128MB")).bundle)
    finally:
        server.stop()
