"""Server-sent events, from lines and from pieces."""

from __future__ import annotations

from penstock.client.event_stream import EventParser, StreamedEvent, parse_events


def test_fields_make_an_event():
    lines = [b": a comment\n", b"id: 1.1.7-0\n", b"event: log\n", b'data: "hello"\n', b"\n"]

    [found] = parse_events(lines)

    assert found == StreamedEvent(id="1.1.7-0", name="log", data='"hello"')
    assert found.value() == "hello"


def test_data_of_several_lines_is_joined_and_a_name_is_only_for_one_event():
    lines = [b"event: item\r\n", b"data:[1,\r\n", b"data: 2]\r\n", b"\r\n", b"data: 3\r\n", b"\r\n"]

    first, second = parse_events(lines)

    assert (first.name, first.value()) == ("item", [1, 2])
    assert (second.name, second.value()) == ("message", 3)


def test_what_is_cut_off_is_no_event():
    assert list(parse_events([b"event: end\n", b"data: {}\n"])) == []
    assert list(parse_events([b"retry: 100\n", b"\n", b"id: 1\n", b"\n"])) == []


def test_pieces_may_be_cut_anywhere():
    text = 'id: 1\r\nevent: log\r\ndata: "a\u2028é"\r\n\r\nid: 2\ndata: 2\n\n'.encode()
    parser = EventParser()

    found = [event for byte in text for event in parser.feed(bytes([byte]))]

    assert [(event.id, event.name, event.value()) for event in found] == [
        ("1", "log", "a\u2028é"),
        ("2", "message", 2),
    ]
