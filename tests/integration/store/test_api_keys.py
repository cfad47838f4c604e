"""Keys and sessions in Redis: judged by its clock, gone at once, two secrets while rotating."""

from __future__ import annotations

import pytest

from runtime.access.api_key import parse_key_text, read_key
from runtime.errors import StoreRefusedError
from runtime.store import access_commands
from runtime.store.blocking_connection import BlockingConnection
from runtime.store.invocation_commands import cancel
from runtime.store.redis_keys import Keys
from runtime.store.scripts import Command
from runtime.store.submission_commands import admit_batch, commit_batch, stage_batch
from tests.support.api_keys import make_key
from tests.support.life import Life
from tests.support.listener import Listener
from tests.support.waiting import eventually

LONG_MS = 3_600_000


def secrets_of(connection: BlockingConnection, name: str) -> list[str]:
    words = ("HMGET", Keys().build("caller", name), "newest", "older")
    return connection.run(Command(words, lambda reply: [part.decode() for part in reply if part]))


def everything(connection: BlockingConnection) -> bytes:
    """Return the content of the whole Redis."""

    def dump(reply: list[bytes]) -> list[bytes]:
        return reply

    names = connection.run(Command(("KEYS", "*"), dump))
    return b"".join(connection.run(Command(("DUMP", name), bytes)) for name in names)


def test_a_key_is_kept_without_its_secret(connection: BlockingConnection):
    made = make_key(connection, "shop", "invoke:a", "read", rate="5/s", lifetime_ms=LONG_MS)

    [stored] = connection.run(access_commands.read_keys()).keys

    text = parse_key_text(made.text)
    assert text is not None
    key = read_key(stored)
    assert key.is_opened_by(made.text)
    assert (key.id, key.name, key.grant.scopes) == (made.id, "shop", ("invoke:a", "read"))
    assert (key.expires_at_ms or 0) - key.created_at_ms == LONG_MS
    assert key.rate is not None
    assert text.secret.encode() not in everything(connection)


def test_a_call_with_a_revoked_or_outlived_key_is_not_born(connection: BlockingConnection):
    life = Life(connection)
    kept = make_key(connection, "shop", "invoke:f")
    revoked = make_key(connection, "shop", "invoke:f")
    brief = make_key(connection, "shop", "invoke:f", lifetime_ms=1)

    assert connection.run(access_commands.revoke_key(revoked.id)) == "shop"
    eventually(lambda: connection.run(access_commands.count_valid_keys()) == 1)
    receptions = {made.id: life.ask(api_key=made.id).reception for made in (kept, revoked, brief)}

    assert receptions == {kept.id: "NEW", revoked.id: "REVOKED", brief.id: "REVOKED"}
    assert life.ask(api_key="unknown").reception == "REVOKED"
    assert len(life.claim(9).items) == 1
    assert connection.run(access_commands.revoke_key(revoked.id)) is None


def test_a_batch_is_not_born_of_a_key_that_is_revoked_while_it_comes(
    connection: BlockingConnection,
):
    made = make_key(connection, "shop", "invoke:f")
    admitted = connection.run(admit_batch(batch="b", function="f", size=1, api_key=made.id))
    connection.run(
        stage_batch(
            batch="b",
            function="f",
            queue="default",
            version="v",
            entries=[("i", b"{}")],
            caller="shop",
        )
    )

    connection.run(access_commands.revoke_key(made.id))

    assert admitted.reception == "NEW"
    assert connection.run(commit_batch(batch="b", size=1, api_key=made.id)).reception == "REVOKED"
    again = admit_batch(batch="c", function="f", size=1, api_key=made.id)
    assert connection.run(again).reception == "REVOKED"
    assert not Life(connection).claim(9).items


def test_only_its_own_caller_may_cancel_where_that_is_asked(connection: BlockingConnection):
    life = Life(connection)
    mine, nobodys = life.submit(caller="shop"), life.submit()

    assert connection.run(cancel(mine, owner="other")) == "MISSING"
    assert connection.run(cancel(nobodys, owner="shop")) == "MISSING"
    assert connection.run(cancel(mine, owner="shop")) == "CANCELLED"
    assert connection.run(cancel(nobodys)) == "CANCELLED"


def test_revoking_is_told_and_works_on_a_full_redis(connection: BlockingConnection, redis_url: str):
    made = make_key(connection, "shop", "read")
    listener = Listener(redis_url, Keys().build("access_news"))
    connection.run(Command(("CONFIG", "SET", "maxmemory", 1), bytes))
    try:
        with pytest.raises(StoreRefusedError):
            make_key(connection, "more", "read")
        revoked = connection.run(access_commands.revoke_key(made.id))
    finally:
        connection.run(Command(("CONFIG", "SET", "maxmemory", 0), bytes))

    assert revoked == "shop"
    assert listener.one() == b"-" + made.id.encode()
    assert connection.run(access_commands.read_keys()).keys == ()


def test_a_name_has_one_callback_secret_or_two_while_it_gets_a_new_one(
    connection: BlockingConnection,
):
    first = make_key(connection, "shop", "read")
    second = make_key(connection, "shop", "read")
    third = make_key(connection, "shop", "read", wants_secret=True)
    fourth = make_key(connection, "shop", "read", wants_secret=True)

    assert first.callback_secret
    assert second.callback_secret is None
    assert secrets_of(connection, "shop") == [fourth.callback_secret, third.callback_secret]


def test_the_secrets_of_a_name_outlive_its_last_key_for_a_while(connection: BlockingConnection):
    first, second = make_key(connection, "shop", "read"), make_key(connection, "shop", "read")
    time_to_live = Command(("PTTL", Keys().build("caller", "shop")), int)

    connection.run(access_commands.revoke_key(first.id))
    while_held = connection.run(time_to_live)
    connection.run(access_commands.revoke_key(second.id))
    after = connection.run(time_to_live)
    make_key(connection, "shop", "read")

    assert while_held == -1
    assert 0 < after <= access_commands.SECRETS_KEPT_MS
    assert connection.run(time_to_live) == -1


def test_use_is_noted_of_keys_that_there_are(connection: BlockingConnection):
    made = make_key(connection, "shop", "read")

    noted = connection.run(access_commands.touch_keys([made.id, "gone"]))

    found = connection.run(access_commands.read_keys())
    assert noted == 1
    assert [key.id for key in found.keys] == [made.id]
    assert abs(found.keys[0].used_at_ms - found.now_ms) < 10_000


def test_a_session_lasts_no_longer_than_its_key(connection: BlockingConnection):
    kept = make_key(connection, "shop", "read")
    brief = make_key(connection, "shop", "read", lifetime_ms=60_000)

    assert connection.run(access_commands.open_session("a", kept.id, longest_ms=LONG_MS)) == LONG_MS
    assert (
        0
        < connection.run(access_commands.open_session("b", brief.id, longest_ms=LONG_MS))
        <= 60_000
    )
    found = connection.run(access_commands.find_session("a"))
    assert found is not None
    assert found.key.id == kept.id
    connection.run(access_commands.revoke_key(kept.id))
    assert connection.run(access_commands.find_session("a")) is None
    assert connection.run(access_commands.open_session("c", kept.id, longest_ms=LONG_MS)) == 0
    connection.run(access_commands.close_session("b"))
    assert connection.run(access_commands.find_session("b")) is None
