"""People who sign in by a name and a password: what they get by it, and what ends it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from structlog.testing import capture_logs

from holdfast import embedded
from holdfast.chassis.identity.roles import scopes_of
from holdfast.client import (
    AlreadyExists,
    Holdfast,
    InvalidRequest,
    Money,
    NotFound,
    Overloaded,
    PermissionDenied,
    Refused,
    Unauthenticated,
)
from holdfast.home import in_folder
from tests.integration.conftest import (
    ANYWHERE,
    EMBEDDED,
    Ground,
    RunningHoldfast,
    eventually,
    running,
)
from tests.integration.over_http import Http

PASSWORD, OTHER = "a lamp for the window", "a window for the lamp"


@pytest.fixture
async def http(ground: Ground) -> AsyncIterator[Http]:
    async with running(ground, http_at=ANYWHERE) as holdfast:
        yield Http(holdfast)


@asynccontextmanager
async def caller(holdfast: RunningHoldfast, key: str) -> AsyncIterator[Holdfast]:
    at = holdfast.addresses
    async with Holdfast(at.orders, at.inventory, key=key, retry_s=0.0) as client:
        yield client


async def is_out(client: Holdfast) -> bool:
    """Whether neither service knows who calls."""
    for call in (client.keys.who_am_i(), client.inventory.list_products(limit=1).__anext__()):
        try:
            await call
        except Unauthenticated:
            continue
        except StopAsyncIteration:
            pass
        return False
    return True


async def test_who_signs_in_is_known_to_all_and_told_by_name(holdfast: RunningHoldfast) -> None:
    admin = holdfast.client
    made = await admin.users.create("ann", ["merchandiser"], PASSWORD)
    async with caller(holdfast, "") as nobody:
        found = await nobody.users.sign_in(" Ann", PASSWORD)
    async with caller(holdfast, found.text) as ann:
        known = await ann.keys.who_am_i()

        async def create() -> Any:
            return await ann.inventory.create_product("LAMP", unit_price=Money.parse("1", "GBP"))

        async def until_known() -> bool:
            try:
                await create()
            except Unauthenticated:
                return False
            return True

        await eventually(until_known, bool)
        await ann.inventory.set_stock("LAMP", 5)
        (moved,) = [one async for one in admin.inventory.list_movements(product_id="LAMP")]
        await ann.users.sign_out()

        assert await eventually(lambda: is_out(ann), bool)
    assert (known.name, known.user, known.scopes) == ("ann", "ann", scopes_of(["merchandiser"]))
    assert (moved.actor, moved.credential_id) == ("ann", found.key.key_id)
    assert found.key.expire_time is not None
    assert found.key.create_time is not None
    assert (found.key.expire_time - found.key.create_time).total_seconds() == 12 * 3_600
    assert made.sign_in_time is None
    (listed,) = await admin.users.list()
    assert listed.sign_in_time is not None
    assert not [secret for secret in (found.text, found.device) if secret in repr(found)]


async def refused(client: Holdfast, name: str, password: str, device: str = "") -> Exception:
    with pytest.raises((Unauthenticated, InvalidRequest, Overloaded)) as told:
        await client.users.sign_in(name, password, device=device)
    return told.value


@pytest.mark.parametrize("ground", [EMBEDDED], indirect=True)
async def test_a_wrong_name_a_wrong_password_and_a_lock_get_one_answer_and_no_secret_is_logged(
    http: Http,
) -> None:
    admin = http.holdfast.client
    await admin.users.create("ann", ["support"], PASSWORD)
    await admin.users.create("bob", ["support"], OTHER)
    await admin.users.update("bob", locked=True)

    with capture_logs() as lines:
        told = {
            (type(error), error.reason, error.message)  # type: ignore[attr-defined] # of ours
            for error in (
                await refused(admin, "ann", OTHER),
                await refused(admin, "eve-or-a-password", PASSWORD),
                await refused(admin, "bob", OTHER),
            )
        }
        answer = await http.ask("POST", "/v1/sign-in", {"name": "ann", "password": OTHER})
        let_in = await http.ask("POST", "/v1/sign-in", {"name": "ann", "password": PASSWORD})

    assert len(told) == 1
    assert answer.status == 401
    assert answer.json["reason"] == "SIGN_IN_REFUSED"
    assert let_in.status == 200
    for secret in (PASSWORD, OTHER, "eve-or-a", let_in.json["text"], let_in.json["device"]):
        assert secret not in str(lines)
    assert [line["name"] for line in lines if line.get("reason") == "SIGN_IN_REFUSED"] == [
        *("ann", "", "bob", "ann")
    ]


@pytest.mark.parametrize("ground", [EMBEDDED], indirect=True)
@pytest.mark.parametrize("how", ["lock", "password", "rights", "delete"])
async def test_what_is_taken_away_ends_every_key_of_the_user(
    holdfast: RunningHoldfast, how: str
) -> None:
    admin = holdfast.client
    await admin.users.create("ann", ["support"], PASSWORD)
    keys = [(await admin.users.sign_in("ann", PASSWORD)).text for _ in range(2)]
    apart = (await admin.keys.create("ann", ["support"])).text
    if how == "lock":
        await admin.users.update("ann", locked=True)
        assert await refused(admin, "ann", PASSWORD)
        await admin.users.update("ann", locked=False)
        await admin.users.sign_in("ann", PASSWORD)
    elif how == "password":
        await admin.users.update("ann", password=OTHER)
        assert await refused(admin, "ann", PASSWORD)
        await admin.users.sign_in("ann", OTHER)
    elif how == "rights":
        await admin.users.update("ann", grants=["viewer"])
        found = await admin.users.sign_in("ann", PASSWORD)
        assert found.key.grants == ("viewer",)
    else:
        await admin.users.delete("ann")
        assert await refused(admin, "ann", PASSWORD)
        with pytest.raises(NotFound):
            await admin.users.delete("ann")

    for text in keys:
        async with caller(holdfast, text) as ann:
            assert await eventually(lambda: is_out(ann), bool)
    async with caller(holdfast, apart) as beside:
        assert (await beside.keys.who_am_i()).name == "ann", "a key that was made is no session"


@pytest.mark.parametrize("ground", [EMBEDDED], indirect=True)
async def test_a_password_is_changed_by_its_user_who_stays_and_is_out_elsewhere(
    holdfast: RunningHoldfast,
) -> None:
    admin = holdfast.client
    await admin.users.create("ann", ["viewer"], PASSWORD)
    here, there = [await admin.users.sign_in("ann", PASSWORD) for _ in range(2)]

    async with caller(holdfast, here.text) as ann, caller(holdfast, there.text) as elsewhere:
        with pytest.raises(InvalidRequest) as wrong:
            await ann.users.change_password(OTHER, OTHER)
        with pytest.raises(InvalidRequest) as short:
            await ann.users.change_password(PASSWORD, "too short")
        await ann.users.change_password(PASSWORD, OTHER)

        assert await eventually(lambda: is_out(elsewhere), bool)
        assert not await is_out(ann)
    with pytest.raises(Refused) as nobody:
        await admin.users.change_password(PASSWORD, OTHER)
    with pytest.raises(Refused) as no_session:
        await admin.users.sign_out()
    await admin.users.sign_in("ann", OTHER)

    assert [one.field for one in wrong.value.violations] == ["old_password"]
    assert [one.field for one in short.value.violations] == ["new_password"]
    assert nobody.value.reason == no_session.value.reason == "NOT_A_USER"


@pytest.mark.parametrize("ground", [EMBEDDED], indirect=True)
async def test_nobody_comes_by_a_user_to_what_they_may_not(holdfast: RunningHoldfast) -> None:
    admin = holdfast.client
    made = await admin.keys.create("clerk", ["keys:manage", "orders:read"])
    await admin.users.create("boss", ["admin"], PASSWORD)
    async with caller(holdfast, made.text) as clerk:
        await clerk.users.create("reader", ["orders:read"], PASSWORD)
        for way in (
            clerk.users.create("eve", ["admin"], PASSWORD),
            clerk.users.update("reader", grants=["support"]),
            clerk.users.update("boss", password=OTHER),
            clerk.users.update("boss", grants=["orders:read"]),
            clerk.users.update("boss", grants=["orders:read"], password=OTHER),
            clerk.users.update("boss", locked=False),
        ):
            with pytest.raises(PermissionDenied) as denied:
                await way
            assert "orders:write" in denied.value.details["scope"]
        session = await admin.users.sign_in("boss", PASSWORD)
        with pytest.raises(Refused) as rotated:
            await clerk.keys.rotate(session.key.key_id)
        with pytest.raises(AlreadyExists):
            await clerk.users.create("boss", ["orders:read"], PASSWORD)
        await clerk.users.update("boss", locked=True)

    assert rotated.value.reason == "KEY_OF_USER"
    assert [one.name for one in await admin.users.list()] == ["boss", "reader"]


@pytest.mark.parametrize("ground", [EMBEDDED], indirect=True)
async def test_what_can_be_no_user_is_refused_by_field(holdfast: RunningHoldfast) -> None:
    admin = holdfast.client
    good: dict[str, Any] = {"name": "ann", "grants": ["viewer"], "password": PASSWORD}
    for field, value in (
        ("name", ""),
        ("name", "Ann"),
        ("name", "ann@shop.example"),
        ("name", "a" * 65),
        ("name", "a\u200bnn"),
        ("name", "orders"),
        ("name", "operator"),
        ("name", "inventory"),
        ("name", "anonymous"),
        ("grants", []),
        ("grants[0]", ["emperor"]),
        ("password", ""),
        ("password", "eleven char"),
        ("password", "x" * 257),
        ("password", "121212121212"),
        ("password", "PasswordPassword"),
        ("password", "annann1annann"),
    ):
        with pytest.raises(InvalidRequest) as refusal:
            await admin.users.create(**good | {field.partition("[")[0]: value})
        assert [one.field for one in refusal.value.violations] == [field], value
        assert field != "password" or not value or str(value) not in str(refusal.value)
    with pytest.raises(InvalidRequest):
        await admin.users.update("ann")
    with pytest.raises(NotFound):
        await admin.users.update("ann", locked=True)
    # Composed or not, a letter is a letter, as keyboards differ in that.
    await admin.users.create("ann", ["viewer"], "ein k\u00fchler Schrank")
    await admin.users.sign_in("ann", "ein ku\u0308hler Schrank")


@pytest.mark.parametrize("ground", [EMBEDDED], indirect=True)
async def test_who_guesses_is_slowed_down_and_a_device_that_is_known_is_not(
    holdfast: RunningHoldfast,
) -> None:
    admin = holdfast.client
    await admin.users.create("ann", ["viewer"], PASSWORD)
    known = await admin.users.sign_in("ann", PASSWORD)
    async with caller(holdfast, "") as eve:
        for _ in range(9):
            assert isinstance(await refused(eve, "ann", OTHER), Unauthenticated)
        late = await refused(eve, "ann", PASSWORD)
        forged = await refused(eve, "ann", PASSWORD, known.device[:-1] + "x")
        again = await eve.users.sign_in("ann", PASSWORD, device=known.device)

    for error in (late, forged):
        assert isinstance(error, Overloaded)
        assert error.reason == "TOO_MANY_GUESSES"
        assert error.retry_after_s is not None
        assert 25 < error.retry_after_s <= 30
    assert again.device == known.device


async def test_nobody_signs_in_where_nobody_is_asked(tmp_path: Any) -> None:
    async with (
        embedded.running(in_folder(tmp_path), operator_key="") as at,
        Holdfast(at.orders, at.inventory, key="") as client,
    ):
        with pytest.raises(Refused) as off:
            await client.users.sign_in("ann", PASSWORD)

    assert off.value.reason == "SIGN_IN_OFF"
