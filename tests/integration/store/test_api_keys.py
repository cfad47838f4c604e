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


def secrets_of(line: BlockingConnection, name: str) -> list[str]:
    words = ("HMGET", Keys().build("caller", name), "newest", "older")
    return line.run(Command(words, lambda reply: [part.decode() for part in reply if part]))


def everything(line: BlockingConnection) -> bytes:
    """Return the content of the whole Redis."""

    def dump(reply: list[bytes]) -> list[bytes]:
        return reply

    names = line.run(Command(("KEYS", "*"), dump))
    return b"".join(line.run(Command(("DUMP", name), bytes)) for name in names)


def test_a_key_is_kept_without_its_secret(line: BlockingConnection):
    made = make_key(line, "shop", "invoke:a", "read", rate="5/s", lifetime_ms=LONG_MS)

    [stored] = line.run(access_commands.read_keys()).keys

    text = parse_key_text(made.text)
    assert text is not None
    key = read_key(stored)
    assert key.is_opened_by(made.text)
    assert (key.id, key.name, key.grant.scopes) == (made.id, "shop", ("invoke:a", "read"))
    assert (key.expires_at_ms or 0) - key.created_at_ms == LONG_MS
    assert key.rate is not None
    assert text.secret.encode() not in everything(line)


def test_a_call_with_a_revoked_or_outlived_key_is_not_born(line: BlockingConnection):
    life = Life(line)
    kept = make_key(line, "shop", "invoke:f")
    revoked = make_key(line, "shop", "invoke:f")
    brief = make_key(line, "shop", "invoke:f", lifetime_ms=1)

    assert line.run(access_commands.revoke_key(revoked.id)) == "shop"
    eventually(lambda: line.run(access_commands.count_valid_keys()) == 1)
    receptions = {made.id: life.ask(api_key=made.id).reception for made in (kept, revoked, brief)}

    assert receptions == {kept.id: "NEW", revoked.id: "REVOKED", brief.id: "REVOKED"}
    assert life.ask(api_key="unknown").reception == "REVOKED"
    assert len(life.claim(9).items) == 1
    assert line.run(access_commands.revoke_key(revoked.id)) is None


def test_a_batch_is_not_born_of_a_key_that_is_revoked_while_it_comes(line: BlockingConnection):
    made = make_key(line, "shop", "invoke:f")
    admitted = line.run(admit_batch(batch="b", function="f", size=1, api_key=made.id))
    line.run(
        stage_batch(
            batch="b",
            function="f",
            queue="default",
            version="v",
            entries=[("i", b"{}")],
            caller="shop",
        )
    )

    line.run(access_commands.revoke_key(made.id))

    assert admitted.reception == "NEW"
    assert line.run(commit_batch(batch="b", size=1, api_key=made.id)).reception == "REVOKED"
    again = admit_batch(batch="c", function="f", size=1, api_key=made.id)
    assert line.run(again).reception == "REVOKED"
    assert not Life(line).claim(9).items


def test_only_its_own_caller_may_cancel_where_that_is_asked(line: BlockingConnection):
    life = Life(line)
    mine, nobodys = life.submit(caller="shop"), life.submit()

    assert line.run(cancel(mine, owner="other")) == "MISSING"
    assert line.run(cancel(nobodys, owner="shop")) == "MISSING"
    assert line.run(cancel(mine, owner="shop")) == "CANCELLED"
    assert line.run(cancel(nobodys)) == "CANCELLED"


def test_revoking_is_told_and_works_on_a_full_redis(line: BlockingConnection, redis_url: str):
    made = make_key(line, "shop", "read")
    listener = Listener(redis_url, Keys().build("access_news"))
    line.run(Command(("CONFIG", "SET", "maxmemory", 1), bytes))
    try:
        with pytest.raises(StoreRefusedError):
            make_key(line, "more", "read")
        revoked = line.run(access_commands.revoke_key(made.id))
    finally:
        line.run(Command(("CONFIG", "SET", "maxmemory", 0), bytes))

    assert revoked == "shop"
    assert listener.one() == b"-" + made.id.encode()
    assert line.run(access_commands.read_keys()).keys == ()


def test_a_name_has_one_callback_secret_or_two_while_it_gets_a_new_one(line: BlockingConnection):
    first = make_key(line, "shop", "read")
    second = make_key(line, "shop", "read")
    third = make_key(line, "shop", "read", wants_secret=True)
    fourth = make_key(line, "shop", "read", wants_secret=True)

    assert first.callback_secret
    assert second.callback_secret is None
    assert secrets_of(line, "shop") == [fourth.callback_secret, third.callback_secret]


def test_the_secrets_of_a_name_outlive_its_last_key_for_a_while(line: BlockingConnection):
    first, second = make_key(line, "shop", "read"), make_key(line, "shop", "read")
    time_to_live = Command(("PTTL", Keys().build("caller", "shop")), int)

    line.run(access_commands.revoke_key(first.id))
    while_held = line.run(time_to_live)
    line.run(access_commands.revoke_key(second.id))
    after = line.run(time_to_live)
    make_key(line, "shop", "read")

    assert while_held == -1
    assert 0 < after <= access_commands.SECRETS_KEPT_MS
    assert line.run(time_to_live) == -1


def test_use_is_noted_of_keys_that_there_are(line: BlockingConnection):
    made = make_key(line, "shop", "read")

    noted = line.run(access_commands.touch_keys([made.id, "gone"]))

    found = line.run(access_commands.read_keys())
    assert noted == 1
    assert [key.id for key in found.keys] == [made.id]
    assert abs(found.keys[0].used_at_ms - found.now_ms) < 10_000


def test_a_session_lasts_no_longer_than_its_key(line: BlockingConnection):
    kept = make_key(line, "shop", "read")
    brief = make_key(line, "shop", "read", lifetime_ms=60_000)

    assert line.run(access_commands.open_session("a", kept.id, longest_ms=LONG_MS)) == LONG_MS
    assert 0 < line.run(access_commands.open_session("b", brief.id, longest_ms=LONG_MS)) <= 60_000
    found = line.run(access_commands.find_session("a"))
    assert found is not None
    assert found.key.id == kept.id
    line.run(access_commands.revoke_key(kept.id))
    assert line.run(access_commands.find_session("a")) is None
    assert line.run(access_commands.open_session("c", kept.id, longest_ms=LONG_MS)) == 0
    line.run(access_commands.close_session("b"))
    assert line.run(access_commands.find_session("b")) is None
