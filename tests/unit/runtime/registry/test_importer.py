"""Importing from a bundle: every way to reach a helper, and nothing reaches anything else."""

from __future__ import annotations

import sys
import traceback

import pytest

from penstock import Context
from runtime.errors import LoadError
from runtime.registry.loading import load

HELPERS = {
    "_shared.py": "NAME = 'shared'\n",
    "billing/_rates.py": "import _shared\nRATE = 19\nSHARED = _shared\n",
    "billing/_lib/table.py": "from . import other\nfrom .. import _rates\nVALUE = other.VALUE\n",
    "billing/_lib/other.py": "VALUE = 5\n",
}


def run_only(functions, name="billing.invoice"):
    return functions[name].call(b"{}", context=Context()).result


@pytest.fixture
def call_invoice(load_source):
    """Call the function of a file in a folder, with helpers all around."""
    return lambda source: run_only(load_source(source, file="billing/invoice.py", helpers=HELPERS))


@pytest.mark.parametrize(
    "statement",
    [
        "import _rates",
        "import _rates as _rates",
        "from billing import _rates",
        "from . import _rates",
        "import functions.billing._rates; _rates = functions.billing._rates",
        "import functions.billing._rates as _rates",
        "from functions.billing import _rates",
        "import billing._rates; _rates = billing._rates",
        "from functions import billing; import _rates; _rates = billing._rates",
    ],
)
def test_every_way_to_import_a_helper_gives_the_same_module(call_invoice, statement):
    source = f"{statement}\nfrom ._rates import RATE\nimport sys\n"
    source += "def invoice():\n    return [_rates.RATE, RATE, _rates.SHARED.NAME]\n"

    assert call_invoice(source) == b'[19,19,"shared"]'


@pytest.mark.parametrize(
    "statement",
    [
        "import _shared",
        "from functions import _shared",
        "from .. import _shared",
        "import functions._shared as _shared",
    ],
)
def test_helpers_of_the_root_are_reached_from_a_sub_folder(call_invoice, statement):
    assert call_invoice(f"{statement}\ndef invoice(): return _shared.NAME\n") == b'"shared"'


def test_helper_folders_are_packages(call_invoice):
    source = "from _lib.table import VALUE\nfrom billing._lib import other\n"
    source += "import _lib.table\ndef invoice(): return [VALUE, other.VALUE, _lib.table.VALUE]\n"

    assert call_invoice(source) == b"[5,5,5]"


def test_a_helper_may_be_imported_while_the_function_runs(call_invoice):
    source = "def invoice():\n    import _rates\n    return _rates.RATE\n"

    assert call_invoice(source) == b"19"


def test_a_package_file_runs_as_in_python(load_source):
    source = "from billing import CURRENCY\ndef invoice(): return CURRENCY\n"

    functions = load_source(
        source, file="billing/invoice.py", helpers={"billing/__init__.py": "CURRENCY = 'EUR'\n"}
    )

    assert run_only(functions) == b'"EUR"'


def test_a_helper_may_import_the_function_file(load_source):
    source = "BASE = 4\nimport _twice\ndef sample(): return _twice.twice()\n"
    helper = "def twice():\n    from functions.sample import BASE\n    return 2 * BASE\n"

    functions = load_source(source, helpers={"_twice.py": helper})

    assert run_only(functions, "sample") == b"8"


@pytest.mark.parametrize("file", ["statistics.py", "email/sender.py"])
def test_files_and_folders_do_not_hide_the_standard_library(load_source, file):
    source = "import statistics, email\nfrom email.message import EmailMessage\n"
    source += "def main(): return [statistics.mean([1, 3]), EmailMessage.__module__]\n"

    functions = load_source(source, file=file)

    [function] = functions.values()
    assert function.call(b"{}", context=Context()).result == b'[2,"email.message"]'


def test_a_helper_named_like_a_private_module_of_python_harms_nobody(load_source):
    source = "import _json, json\ndef sample(): return [_json.MINE, json.loads('[1]')]\n"

    functions = load_source(source, helpers={"_json.py": "MINE = True\n"})

    assert run_only(functions, "sample") == b"[true,[1]]"
    assert not hasattr(sys.modules["_json"], "MINE")


def test_versions_live_side_by_side_in_one_process(bundle_of):
    source = "import _h\ndef sample(): return [_h.N, __name__]\n"
    bundles = [bundle_of({"sample.py": source, "_h.py": f"N = {n}\n"}, "sample.py") for n in (1, 2)]

    loaded = [load(bundle)["sample"] for bundle in bundles]

    results = [function.call(b"{}", context=Context()).result for function in loaded]
    for function in loaded:
        function.unload()
    assert results[0].startswith(b"[1,")
    assert results[1].startswith(b"[2,")
    assert results[0][3:] != results[1][3:]
    assert not [name for name in sys.modules for b in bundles if b.version in name]


def test_the_file_knows_its_real_path_and_reads_the_data_beside_it(write, load_source):
    root = write({"data.txt": "beside"})
    source = "from pathlib import Path\nimport pkgutil\n"
    source += "def sample():\n"
    source += "    text = Path(__file__).with_name('data.txt').read_text()\n"
    source += "    return [__file__, text, pkgutil.get_data(__name__, 'data.txt').decode()]\n"

    functions = load_source(source)

    assert run_only(functions, "sample") == f'["{root}/sample.py","beside","beside"]'.encode()


def test_code_comes_from_the_bundle_and_not_from_the_disk(write, bundle_of):
    bundle = bundle_of(
        {"sample.py": "def sample():\n    import _h\n    return _h.N\n", "_h.py": "N = 1\n"},
        "sample.py",
    )
    root = write({"sample.py": "broken(", "_h.py": "N = 2\n"})

    function = load(bundle)["sample"]

    assert function.call(b"{}", context=Context()).result == b"1"
    function.unload()
    assert not list(root.rglob("*.pyc"))
    assert not list(root.rglob("__pycache__"))


def test_tracebacks_show_the_lines_that_ran(write, load_source):
    functions = load_source("def sample():\n    raise KeyError('this line')\n")
    write({"sample.py": "# another text\n# by now\n"})

    with pytest.raises(KeyError) as caught:
        run_only(functions, "sample")

    text = "".join(traceback.format_exception(caught.value))
    assert "functions/sample.py\", line 2, in sample\n    raise KeyError('this line')" in text


def test_another_function_file_is_not_to_be_imported(write, load_source):
    write({"other.py": "def other(): pass\n"})

    for statement in (
        "import other",
        "from functions.other import other",
        "from .other import other",
    ):
        with pytest.raises(LoadError, match="function files cannot import each other"):
            load_source(f"{statement}\ndef sample(): pass\n")


def test_a_module_that_does_not_exist_is_said_so(load_source):
    with pytest.raises(LoadError) as caught:
        load_source("\nimport there_is_no_such_module\n")

    assert (caught.value.kind, caught.value.line) == ("ModuleNotFoundError", 2)
    assert "No module named 'there_is_no_such_module'" in caught.value.message


def test_a_package_missing_inside_a_helper_is_told_at_the_helpers_line(load_source):
    with pytest.raises(LoadError) as caught:
        load_source(
            "import _h\ndef sample(): pass\n", helpers={"_h.py": "\nimport no_such_thing\n"}
        )

    assert (caught.value.file, caught.value.line) == ("_h.py", 2)


def test_a_file_that_fails_leaves_no_modules_behind(load_source):
    before = set(sys.modules)

    with pytest.raises(LoadError):
        load_source("import _h\n1 / 0\n", helpers={"_h.py": ""})

    assert {name for name in set(sys.modules) - before if name.startswith("functions")} == set()
