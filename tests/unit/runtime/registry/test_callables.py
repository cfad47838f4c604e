"""What a file publishes: marked callables, or the one that has the right name."""

from __future__ import annotations

import pytest

from runtime.errors import LoadError

MARK = "from penstock import function\n"


@pytest.mark.parametrize(
    "source",
    [
        "def sample(): pass\ndef main(): 1/0\ndef handler(): 1/0\n",
        "def main(): pass\ndef handler(): 1/0\n",
        "def handler(): pass\ndef handle(): 1/0\n",
        "def handle(): pass\n",
        "async def sample(): pass\n",
        "sample = lambda: None\n",
        "import functools\nsample = functools.partial(lambda x: x, 1)\n",
        "class C:\n    def __call__(self): pass\nsample = C()\n",
        "import functools\n@functools.cache\ndef sample(): pass\n",
        "from functools import *\n@lambda f: lambda: f()\ndef main(): pass\n",
    ],
)
def test_the_name_of_the_file_comes_first_then_main_then_handler(load_source, source):
    assert list(load_source(source)) == ["sample"]


def test_a_sub_folder_is_a_prefix(load_source):
    assert list(load_source("def main(): pass\n", file="a/b/sample.py")) == ["a.b.sample"]


def test_several_marked_functions_have_their_own_names(load_source):
    source = MARK + (
        "@function\ndef create(): pass\n"
        "@function(name='elsewhere.cancel', timeout='5s')\ndef cancel(): pass\n"
        "def sample(): pass\n"
    )

    functions = load_source(source, file="billing/sample.py")

    assert list(functions) == ["billing.create", "elsewhere.cancel"]
    assert functions["elsewhere.cancel"].manifest.options.timeout_s == 5


def test_a_marked_main_stands_for_the_file(load_source):
    assert list(load_source(MARK + "@function(retries=1)\ndef main(): pass\n")) == ["sample"]


def test_marked_functions_of_helpers_are_not_published(load_source):
    helper = MARK + "@function\ndef shared(): pass\n"

    functions = load_source(
        "from _h import shared\n" + MARK + "@function\ndef own(): pass\n", helpers={"_h.py": helper}
    )

    assert list(functions) == ["own"]


def test_an_imported_callable_of_the_right_name_is_not_published(load_source):
    with pytest.raises(LoadError, match="nothing to publish"):
        load_source("from math import sqrt as sample\nfrom os.path import join as main\n")


def test_a_second_name_of_one_function_publishes_nothing_more(load_source):
    source = MARK + "@function\ndef own(): pass\nalias = own\n"

    assert list(load_source(source)) == ["own"]


def test_nothing_to_publish_says_what_is_looked_for(load_source):
    with pytest.raises(LoadError) as caught:
        load_source("def other(): pass\nsample = 3\n")

    assert caught.value.kind == "NoFunction"
    for wanted in (
        "`sample`",
        "`main`",
        "`handler`",
        "`handle`",
        "@function",
        "start the file's name with _",
    ):
        assert wanted in caught.value.message


def test_a_class_is_no_function(load_source):
    with pytest.raises(LoadError, match="is a class") as caught:
        load_source("class sample: pass\n")

    assert caught.value.kind == "NoFunction"


def test_a_marked_function_with_an_impossible_name_is_told_at_its_line(load_source):
    with pytest.raises(LoadError, match="createInvoice") as caught:
        load_source(MARK + "\n@function\ndef createInvoice(): pass\n")

    assert (caught.value.kind, caught.value.line) == ("BadName", 3)


def test_two_functions_of_one_name_in_a_file_are_refused(load_source):
    source = MARK + "@function(name='x')\ndef a(): pass\n@function(name='x')\ndef b(): pass\n"

    with pytest.raises(LoadError, match="twice") as caught:
        load_source(source)

    assert (caught.value.kind, caught.value.line) == ("DuplicateName", 4)


@pytest.mark.parametrize(
    ("source", "kind", "line"),
    [
        ("x = 1\ndef (", "SyntaxError", 2),
        ("def sample():\n\tpass\n        pass\n", "TabError", 3),
        ("\n\n1 / 0\n", "ZeroDivisionError", 3),
        ("def f():\n    raise ValueError('no')\n\nf()\n", "ValueError", 2),
        (MARK + "\n@function(timeout='x')\ndef sample(): pass\n", "OptionError", 3),
        ("import sys\nsys.exit('bye')\n", "Exited", 2),
        ("def sample(*numbers): pass\n", "SignatureError", 1),
        ("\nclass X: pass\ndef sample(x: X): pass\n", "SignatureError", 3),
        ("from __future__ import annotations\n\ndef sample(x: Nope): pass\n", "SignatureError", 3),
        ("from pydantic import *\ndef sample(x: list[Base64Bytes]): pass\n", "SignatureError", 2),
        ("raise KeyboardInterrupt\n", "KeyboardInterrupt", 1),
        ("class E(Exception):\n    def __str__(self): 1/0\nraise E\n", "E", 3),
        ("import json\njson.loads('{')\n", "JSONDecodeError", 2),
        ("compile('(', 'elsewhere', 'exec')\n", "SyntaxError", 1),
    ],
)
def test_a_broken_file_tells_kind_and_line(load_source, source, kind, line):
    with pytest.raises(LoadError) as caught:
        load_source(source)

    assert (caught.value.kind, caught.value.line, caught.value.file) == (kind, line, "sample.py")
    assert caught.value.message


def test_a_file_with_a_zero_byte_is_refused(load_source):
    with pytest.raises(LoadError, match="null bytes") as caught:
        load_source("x = '\xff'\n\x00")

    # A ValueError before Python 3.11.4.
    assert caught.value.kind in {"SyntaxError", "ValueError"}
    assert (caught.value.line, caught.value.file) == (None, "sample.py")
