"""What Orders' database keeps of users, and of the keys that they own."""

from datetime import UTC, datetime, timedelta

import pytest

from holdfast.chassis.database.seam import Database
from holdfast.chassis.identity.keys import Key
from holdfast.chassis.identity.store import KeyStore
from holdfast.chassis.identity.user_store import SESSIONS_MAX, User, UserStore

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
LATER = NOW + timedelta(hours=12)
ANN = User("ann", "$argon2id$...", ("support", "stock:write"), NOW, NOW)


def key(number: int, user: str = "ann", at: datetime = NOW) -> Key:
    ends = at + timedelta(hours=12)
    return Key(f"{number:012}", user, b"d" * 32, ("support",), (), at, ends, user=user)


@pytest.fixture
def users(database: Database) -> UserStore:
    return UserStore(database)


@pytest.fixture
def keys(database: Database) -> KeyStore:
    return KeyStore(database)


async def good(keys: KeyStore) -> list[str]:
    return [one.key_id for one in await keys.all() if one.revoked_at is None]


async def test_a_user_is_read_as_they_were_added_and_a_name_is_taken_once(users: UserStore) -> None:
    bob = ANN._replace(name="bob")

    assert await users.add(bob)
    assert await users.add(ANN)
    assert not await users.add(ANN._replace(password="another", grants=("admin",)))

    assert await users.all() == [ANN, bob]
    assert await users.find("ann") == ANN
    assert await users.find("eve") is None
    assert "argon" not in repr(ANN)


async def test_who_signs_in_has_a_key_and_the_oldest_of_too_many_goes(
    users: UserStore, keys: KeyStore
) -> None:
    await users.add(ANN)
    for number in range(SESSIONS_MAX + 2):
        made = key(number, at=NOW + timedelta(minutes=number))
        assert await users.sign_in(ANN, ANN.password, made)

    assert await good(keys) == [f"{number:012}" for number in range(2, SESSIONS_MAX + 2)]
    assert {one.user for one in await keys.all()} == {"ann"}
    found = await users.find("ann")
    assert found == ANN._replace(signed_in_at=NOW + timedelta(minutes=SESSIONS_MAX + 1))


@pytest.mark.parametrize(
    "how", ["locked", "another password", "other roles", "deleted", "made anew"]
)
async def test_nobody_signs_in_by_what_was_right_a_moment_ago(
    users: UserStore, keys: KeyStore, how: str
) -> None:
    await users.add(ANN)
    async with users.changing("ann") as change:
        assert change is not None
        if how == "locked":
            await change.to(ANN._replace(locked_at=NOW))
        elif how == "another password":
            await change.to(ANN._replace(password="another"))
        elif how == "other roles":
            await change.to(ANN._replace(grants=("viewer",)))
        else:
            await change.delete()
    if how == "made anew":
        await users.add(ANN._replace(password="another"))

    assert not await users.sign_in(ANN, ANN.password, key(1))
    assert await keys.all() == []


async def test_a_user_s_keys_end_and_nobody_else_s(users: UserStore, keys: KeyStore) -> None:
    bob = ANN._replace(name="bob")
    await users.add(ANN)
    await users.add(bob)
    for number in (1, 2):
        await users.sign_in(ANN, ANN.password, key(number))
    await users.sign_in(bob, bob.password, key(3, "bob"))
    await keys.add(key(4, "")._replace(name="ann"))
    before = await keys.revision()

    async with users.changing("ann") as change:
        assert change is not None
        await change.end_keys(NOW, but="000000000002")
    assert await good(keys) == ["000000000002", "000000000003", "000000000004"]
    async with users.changing("ann") as change:
        assert change is not None
        await change.end_keys(NOW)
    async with users.changing("nobody") as change:
        assert change is None

    assert await good(keys) == ["000000000003", "000000000004"]
    assert await keys.revision() > before


async def test_a_password_is_kept_in_another_form_by_signing_in(users: UserStore) -> None:
    await users.add(ANN)

    await users.sign_in(ANN, "made at higher costs", key(1))

    found = await users.find("ann")
    assert found is not None
    assert (found.password, found.password_at) == ("made at higher costs", NOW)


async def test_keys_of_users_are_forgotten_when_they_can_t_come_back(
    users: UserStore, keys: KeyStore
) -> None:
    await users.add(ANN)
    await users.sign_in(ANN, ANN.password, key(1))
    await users.sign_in(ANN, ANN.password, key(2, at=NOW + timedelta(minutes=1)))
    await keys.revoke("000000000002", NOW)
    await keys.add(key(3, ""))
    before, revision = await keys.all(), await keys.revision()

    assert await keys.forget(LATER, timedelta()) == 0
    assert await keys.forget(LATER + timedelta(seconds=1), timedelta()) == 1
    assert await keys.forget(LATER + timedelta(hours=1), timedelta()) == 1

    assert [one.key_id for one in await keys.all()] == ["000000000003"]
    assert await keys.revision() == revision, "that they are gone is no change"
    await keys.take(before)
    assert await keys.all() == before, "and as they were they are taken again"
    assert await keys.revision() > revision
