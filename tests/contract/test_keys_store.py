"""What a database keeps of keys: nothing brings a revoked one back."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from itertools import permutations

import pytest

from holdfast.chassis.database.seam import Database
from holdfast.chassis.identity.keys import Key
from holdfast.chassis.identity.store import KeyStore, row_of

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
KEY = Key(
    "0123456789ab",
    "scanner-3",
    b"d" * 32,
    ("warehouse", "orders:read"),
    (ip_network("10.0.0.0/8"), ip_network("fd00::/64")),
    NOW,
    LATER,
)


@pytest.fixture
def store(database: Database) -> KeyStore:
    return KeyStore(database)


async def test_a_key_is_read_as_it_was_added_and_an_id_that_is_there_is_left(
    store: KeyStore,
) -> None:
    await store.add(KEY)
    await store.add(KEY._replace(name="somebody else", digest=b"e" * 32))

    assert await store.all() == [KEY]


async def test_keys_are_had_in_parts_by_their_ids(store: KeyStore) -> None:
    for key_id in ("2" * 12, "0" * 12, "1" * 12):
        await store.add(KEY._replace(key_id=key_id))

    first, second = await store.some("", 2), await store.some("1" * 12, 2)

    assert [key.key_id[0] for key in first + second] == ["0", "1", "2"]
    assert await store.some("2" * 12, 2) == []


async def test_every_change_shows_in_the_revision_and_a_use_does_not(store: KeyStore) -> None:
    revisions = [await store.revision()]
    await store.add(KEY._replace(expires_at=None))
    revisions.append(await store.revision())
    new = KEY._replace(key_id="ba9876543210", created_at=LATER)
    await store.add(new, ending=KEY)
    revisions.append(await store.revision())
    await store.revoke(KEY.key_id, LATER)
    revisions.append(await store.revision())
    await store.revoke(KEY.key_id, LATER + timedelta(hours=1))
    await store.used({KEY.key_id: LATER})
    await store.used({KEY.key_id: NOW})

    assert len(set(revisions)) == 4
    assert await store.revision() == revisions[-1]
    old, added = await store.all()
    assert (old.expires_at, old.revoked_at, old.used_at) == (LATER, LATER, LATER)
    assert added == new


async def test_a_key_is_ended_early_and_never_prolonged(store: KeyStore) -> None:
    await store.add(KEY)
    other = KEY._replace(key_id="ba9876543210")

    await store.add(other, ending=KEY._replace(expires_at=LATER + timedelta(hours=1)))

    assert (await store.all())[0].expires_at == LATER


async def test_no_key_follows_one_that_was_revoked_or_expired_meanwhile(store: KeyStore) -> None:
    other = KEY._replace(key_id="ba9876543210")
    await store.add(KEY)
    expired = KEY._replace(key_id="a" * 12, expires_at=NOW)
    await store.add(expired)
    await store.revoke(KEY.key_id, NOW)
    revision = await store.revision()

    assert not await store.add(other, ending=KEY._replace(expires_at=LATER))
    assert not await store.add(other, ending=expired._replace(expires_at=LATER))

    assert {key.key_id for key in await store.all()} == {KEY.key_id, expired.key_id}
    assert await store.revision() == revision


async def test_what_is_revoked_stays_so_in_whatever_order_keys_arrive(store: KeyStore) -> None:
    states = (
        KEY,
        KEY._replace(version=2, expires_at=LATER),
        KEY._replace(version=3, revoked_at=LATER),
        KEY._replace(version=4, revoked_at=None),  # of an older copy of the other database
    )
    for number, order in enumerate(permutations(states)):
        key_id = f"{number:012}"
        for state in order:
            await store.take([state._replace(key_id=key_id)])
            await store.take([state._replace(key_id=key_id)])
        (found,) = [key for key in await store.all() if key.key_id == key_id]
        assert found.revoked_at == LATER
        assert found.version >= 4


async def test_another_secret_under_a_known_id_is_not_taken(store: KeyStore) -> None:
    await store.take([KEY])

    await store.take([KEY._replace(version=2, digest=b"e" * 32)])

    assert await store.all() == [KEY]


async def test_a_key_that_cannot_be_read_has_ended_and_all_others_are_as_they_were(
    store: KeyStore,
) -> None:
    *row, _user = row_of(KEY._replace(key_id="a" * 12))
    async with store._database.begin() as work:
        row[4] = "10.0.0.0/8 fe80::1%a b/128"
        await work.execute(store._sql.ADD, *row, "")
    await store.add(KEY)

    read = {key.key_id: key for key in await store.all()}

    assert read[KEY.key_id] == KEY
    assert (read["a" * 12].expires_at, read["a" * 12].networks) == (NOW, ())
