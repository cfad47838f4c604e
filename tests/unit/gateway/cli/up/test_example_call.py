"""The example call that people are shown."""

from __future__ import annotations

from gateway.cli.up.readiness import choose_function, curl_line, example_arguments


def test_hello_is_shown_before_others_and_broken_functions_never():
    broken = {"name": "a", "error": {"type": "SyntaxError"}}
    first, hello = {"name": "b", "error": None}, {"name": "hello", "error": None}

    assert choose_function([broken, first, hello]) == hello
    assert choose_function([broken, first]) == first
    assert choose_function([broken]) is None


def test_required_arguments_get_a_value_of_their_type():
    schema = {
        "properties": {
            "text": {"type": "string"},
            "times": {"type": "integer", "examples": [3]},
            "mode": {"enum": ["fast", "slow"]},
            "optional": {"type": "string", "default": "x"},
        },
        "required": ["text", "times", "mode"],
    }

    assert example_arguments(schema) == {"text": "text", "times": 3, "mode": "fast"}


def test_the_first_argument_is_shown_when_none_is_required():
    schema = {"properties": {"name": {"default": "world"}, "other": {"default": 1}}}

    assert example_arguments(schema) == {"name": "world"}
    assert example_arguments({}) == {}


def test_the_line_survives_a_shell():
    function = {
        "name": "hello",
        "parameters": {"properties": {"name": {"default": "it's"}}},
    }

    line = curl_line("http://127.0.0.1:8000", function)

    assert line.endswith("http://127.0.0.1:8000/functions/hello")
    assert """'{"name": "it'"'"'s"}'""" in line
