"""Child processes of a function that start afresh find the function's own modules."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from runtime.registry.bundle import Bundle
from runtime.registry.manifest import Manifest
from runtime.settings import read_environment
from tests.integration.execution.written import Written, write
from tests.support.waiting import eventually

SOURCES = {
    "deep/f.py": """
        import concurrent.futures, multiprocessing, os
        import _near
        from _top import Shape, TOP
        from deep._near import near
        from functions.deep import _near as same
        from pydantic import BaseModel

        class Point(BaseModel):
            x: int

        def square(number):
            print("squared", number, flush=True)
            return Shape(number * number + TOP + near() - _near.near())

        def moved(point): return Point(x=point.x + 1)
        def in_pool(how):
            with multiprocessing.get_context(how).Pool(2) as pool:
                return [shape.size for shape in pool.map(square, range(3))]
        def in_executor(how):
            context = multiprocessing.get_context(how)
            with concurrent.futures.ProcessPoolExecutor(2, mp_context=context) as pool:
                return [shape.size for shape in pool.map(square, range(3))]
        def in_process(how):
            context = multiprocessing.get_context(how)
            ours, theirs = context.Pipe()
            process = context.Process(target=answer, args=(theirs, Point(x=0)))
            process.start()
            found = [ours.recv().x]
            process.join()
            return found
        def answer(end, point): end.send(moved(point))

        def f(way: str, how: str):
            return {"pool": in_pool, "executor": in_executor, "process": in_process}[way](how)
        """,
    "_top.py": """
        class Shape:
            def __init__(self, size): self.size = size
        TOP = 0
        """,
    "deep/_near.py": "def near(): return 1",
    "deep/__init__.py": "print_nothing = 1",
}


@pytest.fixture
def spreading():
    sources = {file: textwrap.dedent(text).encode() for file, text in SOURCES.items()}
    bundle = Bundle(root="/srv/functions", file="deep/f.py", sources=sources)
    return Written(Manifest(name="deep.f", version=bundle.version, file="deep/f.py"), bundle)


@pytest.mark.parametrize("how", ["spawn", "forkserver", "fork"])
@pytest.mark.parametrize("way", ["pool", "executor", "process"])
def test_it_finds_the_modules_and_classes_of_the_bundle(bench, spreading, way, how):
    arguments = f'{{"way": "{way}", "how": "{how}"}}'.encode()

    outcome = bench.run(spreading, arguments, function="deep.f")

    assert outcome.status == "succeeded", (outcome.error, outcome.logs)
    assert outcome.result == (b"[1]" if way == "process" else b"[0,1,4]")
    assert outcome.logs.count(b"squared") == (0 if way == "process" else 3)


def test_what_was_written_for_them_goes_with_the_runner_and_with_the_server(
    make_bench, make_server, spreading
):
    server = make_server()
    bench = make_bench(size=1, server=server)
    place = write("import sys\ndef f(): import multiprocessing.spawn; return sys.path[0]")
    folder = Path(json.loads(bench.run(place).result))
    assert folder.name == f"{bench.pids()[0]}"
    assert (folder / "functions/__init__.py").is_file()
    assert folder.stat().st_mode & 0o077 == 0

    bench.run(write("def f(): ..."))

    assert not folder.exists()
    assert folder.parent.exists()
    server.stop()
    assert not folder.parent.exists()


def test_a_function_that_starts_no_process_has_no_folder(bench):
    written = write("import sys\ndef f(): return [p for p in sys.path if 'penstock-' in p]")

    assert bench.run(written).result == b"[]"


def test_a_fork_server_whose_worker_was_killed_removes_its_place(tmp_path):
    code = (
        "import os, sys, time\n"
        "from runtime.processes.fork_server import ForkServer\n"
        "server = ForkServer(preload=(), environment={'TMPDIR': sys.argv[1], 'PATH': '/bin'})\n"
        "server.spawn('time:sleep')\n"
        "print('ready', flush=True)\n"
        "time.sleep(60)\n"
    )
    environment = {**read_environment(), "TMPDIR": str(tmp_path)}
    worker = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], env=environment, stdout=subprocess.PIPE
    )
    assert worker.stdout is not None
    assert worker.stdout.readline() == b"ready\n"
    assert len(list(tmp_path.iterdir())) == 1

    worker.kill()
    worker.wait()
    worker.stdout.close()

    assert eventually(lambda: not list(tmp_path.iterdir()))
