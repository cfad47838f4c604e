"""Keys: one table, the same spelling in Python and in Lua."""

from __future__ import annotations

from runtime.store.keys import TABLE, Keys, lua_prelude
from runtime.store.scripts import Call


def test_every_key_carries_the_hash_tag_of_its_partition():
    keys = Keys(partition=3)

    assert all("{3}" in keys.build(shape.name, "a", "b", "c") for shape in TABLE)


def test_lua_spells_a_key_as_python_does(line):
    body = "return {key_lane('q1', 'f', 'k'), key_record('x'), key_leases()}"
    source = lua_prelude(body) + "\n" + body

    spelled = line.run(Call(("EVAL", source, 1, Keys().prefix), lambda reply: reply))

    assert [key.decode() for key in spelled] == [
        Keys().build("lane", "q1", "f", "k"),
        Keys().build("record", "x"),
        Keys().build("leases"),
    ]
