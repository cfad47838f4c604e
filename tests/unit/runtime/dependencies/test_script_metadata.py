"""The block of inline script metadata, by the specification's own words."""

from __future__ import annotations

import pytest

from runtime.dependencies.script_metadata import MetadataError, read_metadata


def block(*lines: str) -> bytes:
    return "\n".join(
        ("# /// script", *(f"# {line}" if line else "#" for line in lines), "# ///", "")
    ).encode()


def test_a_file_without_a_block_has_no_metadata():
    assert read_metadata(b"def f(): ...\n") is None


def test_what_a_block_says_is_read():
    source = b'"""Docs."""\n\n' + block(
        'requires-python = ">=3.11"',
        'dependencies = ["pandas>=2", "httpx"]',
        "[tool.penstock]",
        'build = ["Doc_Opt"]',
        'preload = ["pandas"]',
        "[tool.uv]",
        'exclude-newer = "2026-01-01T00:00:00Z"',
        "[tool.others]",
        "anything = 1",
    )

    found = read_metadata(source)

    assert found is not None
    assert found.dependencies == ("pandas>=2", "httpx")
    assert found.requires_python == ">=3.11"
    assert (found.build, found.preload) == (("doc-opt",), ("pandas",))
    assert found.uv == {"exclude-newer": "2026-01-01T00:00:00Z"}
    assert found.line == 3
    assert found.needs_environment


def test_no_dependencies_are_an_empty_list():
    found = read_metadata(block('requires-python = ">=3.11"'))

    assert found is not None
    assert found.dependencies == ()


def test_the_example_of_the_specification_nests_what_looks_like_a_block():
    source = b"""# /// embedded-csharp
# class Program
# {
#     /// <summary>
#     /// Says hello.
#     /// </summary>
#     public static void Main() {}
# }
# ///

""" + block('dependencies = ["a"]')

    found = read_metadata(source)

    assert found is not None
    assert found.dependencies == ("a",)
    assert found.line == 11


def test_a_closing_line_followed_by_content_is_content():
    source = b'# /// script\n# dependencies = [\n#   "a",\n# ]\n# text = """\n# ///\n# """\n# ///\n'

    with pytest.raises(MetadataError, match=r"text is unknown"):
        read_metadata(source)


@pytest.mark.parametrize("ending", [b"\r\n", b"\r", b"\n"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_line_endings_and_a_byte_order_mark_change_nothing(ending: bytes, mark: bytes):
    found = read_metadata(mark + block('dependencies = ["a"]').replace(b"\n", ending))

    assert found is not None
    assert found.dependencies == ("a",)


def test_the_encoding_is_the_one_that_the_file_declares():
    source = "# -*- coding: latin-1 -*-\n# é\n".encode("latin-1") + block('dependencies = ["a"]')

    found = read_metadata(source)

    assert found is not None
    assert found.line == 3


@pytest.mark.parametrize(
    "source",
    [
        b'# /// script\n# dependencies = ["a"]\n',  # never closed
        b'# /// script\n#dependencies = ["a"]\n# ///\n',  # no space
        b'# /// script\n#\tdependencies = ["a"]\n# ///\n',
        b'    # /// script\n    # dependencies = ["a"]\n    # ///\n',  # not at the beginning
        b'# /// scripts\n# dependencies = ["a"]\n# ///\n',  # another type
        b'# /// script \n# dependencies = ["a"]\n# ///\n',
        b'## /// script\n# dependencies = ["a"]\n# ///\n',
        b"# /// script\n# ///\n",  # without content there is no block
        b'# /// script\n\n# dependencies = ["a"]\n# ///\n',
    ],
)
def test_what_only_looks_like_a_block_is_a_comment(source: bytes):
    assert read_metadata(source) is None


def test_a_block_in_a_string_counts_as_it_does_for_other_tools():
    assert read_metadata(b'TEXT = """\n' + block('dependencies = ["a"]') + b'"""\n') is not None


@pytest.mark.parametrize(
    ("source", "said", "line"),
    [
        (b"\n".join([block("dependencies = []")] * 2), "two blocks", 5),
        (b"\n\n" + block("dependencies = [,]"), "not TOML", 4),
        (block('dependencies = "a"'), "dependencies must be a list of texts", 1),
        (block("dependencies = [1]"), "dependencies must be a list of texts", 1),
        (block('dependencies = ["a b"]'), "'a b' is not valid", 1),
        (block('requires-python = "3"'), "requires-python: '3' is not valid", 1),
        (block("requires-python = 3"), "requires-python must be a text", 1),
        (block('dependancies = ["a"]'), "did you mean dependencies?", 1),
        (block("[tool.penstock]", 'preloads = ["a"]'), "did you mean tool.penstock.preload?", 1),
        (block("[tool.penstock]", 'preload = ["a b"]'), "'a b' is no name of a module", 1),
        (block('tool = "a"'), "tool must be a table", 1),
        (block("[tool]", "penstock = 1"), "must be tables", 1),
    ],
)
def test_what_is_wrong_is_said_with_its_line(source: bytes, said: str, line: int):
    with pytest.raises(MetadataError) as caught:
        read_metadata(source)

    assert said in str(caught.value)
    assert caught.value.line == line


def test_the_digest_is_of_what_a_resolver_reads():
    first, second = (
        read_metadata(block('dependencies = ["a>=1","b"]')),
        read_metadata(
            block("", "# why", 'dependencies = [ "b", "a >= 1" ]', "[tool.others]", "a = 1")
        ),
    )
    third = read_metadata(block('dependencies = ["a>=2","b"]'))

    assert first is not None
    assert second is not None
    assert third is not None
    assert first.digest == second.digest != third.digest


def test_the_script_of_a_block_has_the_same_block():
    found = read_metadata(b"\n" + block('dependencies = ["a"]', "", "[tool.uv]"))

    assert found is not None
    again = read_metadata(found.script().encode())
    assert again is not None
    assert again.text == found.text
