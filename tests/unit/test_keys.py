"""Keys as text, and what is kept of one in memory: no call asks the database."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from typing import Any

import pytest

from holdfast.chassis.clock import SystemClock
from holdfast.chassis.database.seam import DatabaseUnavailable
from holdfast.chassis.identity import keys
from holdfast.chassis.identity.gate import bearer_of
from holdfast.chassis.identity.keys import Key
from holdfast.chassis.identity.known_keys import TRUST_S_MAX, KnownKeys
from holdfast.chassis.identity.principal import Principal
from holdfast.chassis.identity.refusals import IdentityUnavailable, Unauthenticated
from holdfast.chassis.identity.roles import ROLES, known_scopes, scopes_of
from holdfast.chassis.identity.store import KeyStore
from holdfast.chassis.identity.user_servicer import SIGN_IN
from holdfast.inventory.presentation import rights as inventory_rights
from holdfast.notifier.presentation import rights as notifier_rights
from holdfast.notifier.service import SERVICE_NAME as NOTIFIER_SERVICE_NAME
from holdfast.orders.presentation import rights as orders_rights
from holdfast.orders.service import SERVICE_NAME as ORDER_SERVICE_NAME
from tests.unit import written_rights

PEPPER = b"pepper"
NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
HERE = "ipv4:127.0.0.1:4711"


def test_a_key_is_read_as_it_was_made_and_no_two_are_the_same() -> None:
    texts = {keys.make() for _ in range(100)}

    assert len(texts) == 100
    for text in texts:
        key = keys.read(text)
        assert key is not None
        assert text == keys.written(key.key_id, key.secret)
        assert (len(key.key_id), len(key.secret), len(text)) == (12, 43, 71)
        assert key.secret not in repr(key)


def test_any_mistyped_character_is_noticed() -> None:
    text = keys.make()
    for place in range(len(text)):
        other = "0" if text[place] != "0" else "1"

        assert keys.read(text[:place] + other + text[place + 1 :]) is None
    for wrong in ("", "hf_live_", text[:-1], text + "x", f" {text}", text.upper(), text + "\n"):
        assert keys.read(wrong) is None


def test_a_key_that_follows_from_a_secret_is_the_same_every_time() -> None:
    first = keys.derived("a secret", "orders")

    assert keys.read(first) is not None
    assert keys.derived("a secret", "orders") == first
    assert keys.derived("a secret", "else") != first != keys.derived("another", "orders")


@pytest.mark.parametrize(
    ("peer", "inside"),
    [
        ("ipv4:10.1.2.3:4711", True),
        ("ipv4:10.2.2.3:4711", False),
        ("ipv6:%5B::ffff:10.1.2.3%5D:4711", True),
        ("ipv6:[fd00::1]:4711", True),
        ("ipv6:[fd01::1]:4711", False),
        ("ipv6:[fd00::1%25eth0]:4711", True),
        ("unix:/run/holdfast", False),
        ("", False),
    ],
)
def test_a_network_is_told_by_the_address_of_the_caller(peer: str, inside: bool) -> None:
    networks = (ip_network("10.1.0.0/16"), ip_network("fd00::/64"))

    assert keys.is_in(peer, networks) is inside


def test_an_ipv4_network_that_is_written_as_ipv6_is_the_ipv4_network() -> None:
    for text, is_ in (
        ("::ffff:10.1.0.0/112", "10.1.0.0/16"),
        ("::ffff:127.0.0.1", "127.0.0.1/32"),
        ("::/0", "::/0"),
        ("fd00::/64", "fd00::/64"),
    ):
        assert keys.network_of(text) == ip_network(is_)
    assert keys.is_in("ipv6:[::ffff:127.0.0.1]:4711", (keys.network_of("::ffff:127.0.0.1"),))


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ([], "NO_CREDENTIAL"),
        (["Bearer"], "CREDENTIAL_MALFORMED"),
        (["Bearer "], "CREDENTIAL_MALFORMED"),
        (["Basic YTpi"], "CREDENTIAL_MALFORMED"),
        (["hf_live_x"], "CREDENTIAL_MALFORMED"),
        (["Bearer a b"], "CREDENTIAL_MALFORMED"),
        (["Bearer a", "Bearer b"], "CREDENTIALS_SEVERAL"),
        (["Bearer a, Bearer b"], "CREDENTIALS_SEVERAL"),
    ],
)
def test_a_call_brings_exactly_one_credential(headers: list[str], reason: str) -> None:
    metadata = [("traceparent", "x"), *(("authorization", value) for value in headers)]

    with pytest.raises(Unauthenticated) as refused:
        bearer_of(metadata)

    assert refused.value.reason == reason


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_scheme_is_written_in_any_case(scheme: str) -> None:
    assert bearer_of([("authorization", f"{scheme} hf_live_x")]) == "hf_live_x"


def test_a_role_of_a_newer_version_allows_nothing() -> None:
    assert known_scopes(["viewer", "astronaut"]) == ROLES["viewer"]
    for name in ("astronaut", "anybody", "customer", "service", "keys:held"):
        assert known_scopes([name]) == frozenset()
        with pytest.raises(ValueError, match=name):
            scopes_of([name])


def test_every_method_stands_in_the_table_and_the_table_has_no_other() -> None:
    from holdfast.contracts.identity.v1 import keys_pb2, users_pb2
    from holdfast.contracts.inventory.v1 import inventory_pb2
    from holdfast.contracts.notifier.v1 import notifier_pb2
    from holdfast.contracts.orders.v1 import orders_pb2

    services = {
        one.full_name: one
        for file in (keys_pb2, users_pb2, inventory_pb2, orders_pb2, notifier_pb2)
        for one in file.DESCRIPTOR.services_by_name.values()
    }
    table = {**orders_rights.RIGHTS, **inventory_rights.RIGHTS, **notifier_rights.RIGHTS}
    methods = {f"{name}/{one.name}" for name, found in services.items() for one in found.methods}

    assert table.keys() == methods
    assert {ORDER_SERVICE_NAME, NOTIFIER_SERVICE_NAME} < services.keys()
    assert all(table.values()), "a method without a scope is nobody's"
    allowed = scopes_of(ROLES) | {"anybody", "customer", "service", "keys:held"}
    assert [name for name, needed in table.items() if "anybody" in needed] == [SIGN_IN]
    assert all(needed <= allowed for needed in table.values())


class Table(KeyStore):
    """Keys in a database that can be away; it counts how often it is asked."""

    def __init__(self, *held: Key) -> None:
        self.held, self.asked, self.is_away = list(held), 0, False

    async def revision(self) -> int:
        self.asked += 1
        if self.is_away:
            raise DatabaseUnavailable("away")
        return sum(key.version for key in self.held)

    async def all(self) -> list[Key]:
        return list(self.held)


class Time:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


def made(**other: Any) -> tuple[keys.WrittenKey, Key]:
    written = keys.read(keys.make())
    assert written is not None
    digest = keys.digest(PEPPER, written.secret)
    key = Key(written.key_id, "anna", digest, ("viewer",), (), NOW)
    return written, key._replace(**other)


async def known(table: Table, time: Time) -> KnownKeys:
    found = KnownKeys(table, PEPPER, SystemClock(), now=time)
    await found.look()
    return found


def reason_of(known: KnownKeys, key: keys.WrittenKey, peer: str = HERE) -> str:
    with pytest.raises(Unauthenticated) as refused:
        known.find(key, peer)
    assert key.secret not in str(refused.value)
    return refused.value.reason


async def test_a_good_key_is_found_without_asking_the_database() -> None:
    written, key = made()
    table = Table(key)
    found = await known(table, Time())

    principals = {found.find(written, HERE) for _ in range(100)}

    (principal,) = principals
    assert principal is not None
    assert (principal.name, principal.credential_id) == ("anna", written.key_id)
    assert principal.scopes == ROLES["viewer"]
    assert table.asked == 1


async def test_only_who_has_the_secret_learns_why_a_key_is_not_good() -> None:
    past = datetime.now(UTC) - timedelta(seconds=1)
    bad = {
        "KEY_REVOKED": made(revoked_at=NOW),
        "KEY_EXPIRED": made(expires_at=past),
        "KEY_NETWORK": made(networks=(ip_network("10.0.0.0/8"),)),
    }
    found = await known(Table(*(key for _, key in bad.values())), Time())

    for reason, (written, _) in bad.items():
        assert reason_of(found, written) == reason
        assert reason_of(found, written._replace(secret="0" * 43)) == "KEY_UNKNOWN"


async def test_a_stream_ends_with_the_token_that_opened_it() -> None:
    found = await known(Table(), Time())
    now = datetime.now(UTC).timestamp()
    anna = Principal("anna@shop", "jti:7", ROLES["viewer"], ends_at=now + 60)

    found.require_good(anna)
    with pytest.raises(Unauthenticated) as refused:
        found.require_good(anna._replace(ends_at=now))
    assert refused.value.reason == "TOKEN_EXPIRED"


async def test_a_key_that_nobody_knows_is_looked_for_and_guessing_asks_seldom() -> None:
    table, time = Table(), Time()
    found = await known(table, time)
    written, key = made()
    table.held.append(key)
    time.now += 1.0

    assert (await found.find_anew(written, HERE)).name == "anna"
    before = table.asked
    for _ in range(50):
        stranger, _ = made()
        with pytest.raises(Unauthenticated, match="no such key"):
            await found.find_anew(stranger, HERE)
    assert table.asked == before


async def test_while_the_database_is_away_known_keys_are_good_for_a_minute_and_others_never() -> (
    None
):
    written, key = made()
    table, time = Table(key), Time()
    found = await known(table, time)
    table.is_away = True

    time.now += TRUST_S_MAX
    assert found.find(written, HERE) is not None
    stranger, _ = made()
    for _ in range(2):
        with pytest.raises(IdentityUnavailable):
            await found.find_anew(stranger, HERE)
    time.now += 0.1
    with pytest.raises(IdentityUnavailable):
        found.find(written, HERE)
    table.is_away = False
    await found.look()
    assert found.find(written, HERE) is not None


async def test_a_revoked_key_is_known_as_such_at_the_next_look() -> None:
    written, key = made()
    table = Table(key)
    found = await known(table, Time())
    assert found.find(written, HERE) is not None

    table.held = [key._replace(revoked_at=NOW, version=2)]
    await found.look()

    assert reason_of(found, written) == "KEY_REVOKED"


def test_the_page_about_identity_has_the_tables_of_the_code() -> None:
    assert written_rights.PAGE.read_text() == written_rights.page(), written_rights.RENEW
