"""Keys: one table, the same spelling in Python and in Lua."""

from __future__ import annotations

from runtime.store.redis_keys import TABLE, Keys, spell_out_keys
from runtime.store.scripts import Command


def test_every_key_carries_the_hash_tag_of_its_partition():
    keys = Keys(partition=3)

    assert all("{3}" in keys.build(shape.name, "a", "b", "c") for shape in TABLE)


def test_lua_spells_a_key_as_python_does(connection):
    body = (
        "local no return {key_lane('q1', no or 'f', key_record('k, )')),"
        " key_record(string.rep('x', 2)), key_leases()}"
    )
    source = "local P = KEYS[1] " + spell_out_keys(body)

    spelled = connection.run(Command(("EVAL", source, 1, Keys().prefix), lambda reply: reply))

    assert [key.decode() for key in spelled] == [
        Keys().build("lane", "q1", "f", Keys().build("record", "k, )")),
        Keys().build("record", "xx"),
        Keys().build("leases"),
    ]
