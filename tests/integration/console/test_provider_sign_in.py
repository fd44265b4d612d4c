"""Signing in at an identity provider: what must fit for a session, and what people are told."""

import json
import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc.jwk import Key

from holdfast.console.leases import ProviderLease
from testbed.keys import KEY
from testbed.oidc import AUDIENCE, DISCOVERY, JWKS, answers, new_key, public
from testbed.oidc_codes import (
    AUTHORIZE,
    CLIENT_ID,
    LOGOUT,
    TOKEN,
    CodeProvider,
    sign_in_at,
    signing_people_in,
)
from testbed.processes import free_port
from tests.integration.conftest import EMBEDDED, Ground, running
from tests.integration.console.people import ROOT, Browser, Shop

pytestmark = pytest.mark.parametrize("ground", [EMBEDDED], indirect=True)

START, BACK = f"{ROOT}/sign-in/provider", f"{ROOT}/sign-in/back"
RIGHTS = "orders:read stock:read"


@pytest.fixture(scope="module")
def key() -> Key:
    return new_key("EC")


@pytest.fixture
def at() -> str:
    return f"127.0.0.1:{free_port()}"


@pytest.fixture
def provider(key: Key, at: str) -> Iterator[CodeProvider]:
    with signing_people_in([f"http://{at}{BACK}"], key) as found:
        found.access["scope"] = RIGHTS
        yield found


@asynccontextmanager
async def open_shop(
    ground: Ground, at: str, provider: CodeProvider, **differs: str
) -> AsyncIterator[Shop]:
    async with (
        running(ground, http_at=at, **sign_in_at(provider, **differs)) as holdfast,
        Shop(holdfast) as found,
    ):
        yield found


@pytest.fixture
async def shop(ground: Ground, at: str, provider: CodeProvider) -> AsyncIterator[Shop]:
    async with open_shop(ground, at, provider) as found:
        yield found


async def sent(shop: Shop, after: str = "") -> str:
    """Be sent to the provider, which sends back; return the address that leads to the console."""
    there = await shop.browser.get(START, params={"next": after} if after else {})
    assert there.status_code == 303, there.text
    async with Browser("provider") as elsewhere:
        back = await elsewhere.get(there.headers["location"])
    assert back.status_code == 302, back.text
    return back.headers["location"]


async def signed_in(shop: Shop, after: str = "") -> None:
    entered = await shop.browser.get(await sent(shop, after))
    assert entered.status_code == 303, entered.text


async def is_inside(shop: Shop) -> bool:
    return (await shop.browser.get(f"{ROOT}/orders")).status_code == 200


async def test_who_the_provider_knows_comes_in_with_their_rights_and_where_they_wanted(
    shop: Shop, provider: CodeProvider
) -> None:
    wanted = f"{ROOT}/orders?status=CONFIRMED"
    asked = await shop.browser.get(f"{ROOT}/sign-in", params={"next": wanted})
    (link,) = re.findall(rf'href="({START}[^"]*)"', asked.text)

    there = await shop.browser.get(link)
    entered = await shop.browser.get(await sent(shop, wanted))
    orders = await shop.browser.get(entered.headers["location"])
    refused = await shop.browser.post(f"{ROOT}/stock/adjust", {})

    assert there.headers["location"].startswith(provider.url + AUTHORIZE)
    assert parse_qs(urlsplit(there.headers["location"]).query)["scope"] == ["openid"]
    assert entered.headers["location"] == wanted
    assert "anna@staff" in orders.text
    assert refused.status_code == 403, "stock:write is none of their rights"
    cookies = "; ".join(entered.headers.get_list("set-cookie"))
    assert not any(secret in cookies for secret in ("eyJ", "refresh-", "code-"))


async def test_a_public_client_proves_itself_by_pkce_alone(
    ground: Ground, at: str, provider: CodeProvider
) -> None:
    provider.secret = ""
    del provider.discovery["end_session_endpoint"]
    public_url = f"http://{at}"
    async with open_shop(
        ground, at, provider, oidc_client_secret="", public_url=public_url
    ) as shop:
        asked = await shop.browser.get(f"{ROOT}/sign-in")
        await signed_in(shop)
        was_inside = await is_inside(shop)
        out = await shop.browser.post(f"{ROOT}/sign-out", {})

        assert f'href="{public_url}{START}"' in asked.text, "to where the provider sends back"
        assert was_inside
        assert out.headers["location"] == f"{ROOT}/sign-in", "the provider signs nobody out"
        assert not await is_inside(shop)


def _altered(name: str, value: str) -> Callable[[str], str]:
    return lambda back: re.sub(rf"([?&]{name}=)[^&]*", rf"\g<1>{value}", back)


ANSWERS = {
    "another state": (_altered("state", "guessed"), "belongs to no attempt"),
    "no state": (_altered("state", ""), "belongs to no attempt"),
    "another code": (_altered("code", "code-99"), "does not take the code"),
    "no code": (_altered("code", ""), "no code"),
    "another issuer": (_altered("iss", "https://evil.example"), "somebody else"),
    "no issuer": (lambda back: back.replace("iss=", "was="), "somebody else"),
    "another error": (lambda back: f"{back}&error=%3Cb%3Eserver_error", "&lt;b&gt;server_error"),
}


async def test_a_way_back_that_was_altered_leads_nobody_in(shop: Shop) -> None:
    for name, (alter, told) in ANSWERS.items():
        refused = await shop.browser.get(alter(await sent(shop)))

        assert refused.status_code == 400, name
        assert told in refused.text, name
        assert not await is_inside(shop), name


IDENTITIES: dict[str, dict[str, Any]] = {
    "another nonce": {"nonce": "of-another-attempt"},
    "no nonce": {"nonce": None},
    "another issuer": {"iss": "https://evil.example"},
    "for another client": {"aud": "another-client"},
    "for several, made for another": {"aud": [CLIENT_ID, "x"], "azp": "x"},
    "for several, and nobody says for whom": {"aud": [CLIENT_ID, "x"]},
    "expired": {"exp": 1_700_000_000},
    "of nobody": {"sub": None},
}


async def test_an_id_token_that_does_not_fit_leads_nobody_in(
    shop: Shop, provider: CodeProvider
) -> None:
    for name, identity in IDENTITIES.items():
        provider.identity = identity
        refused = await shop.browser.get(await sent(shop))

        assert refused.status_code == 502, name
        assert "was not taken" in refused.text, name
        assert not await is_inside(shop), name
    provider.identity = {}
    await signed_in(shop)


async def test_an_id_token_that_another_signed_leads_nobody_in(
    shop: Shop, provider: CodeProvider, key: Key
) -> None:
    published = public(new_key("EC")) | {"kid": key.kid}
    provider.answers[JWKS] = answers(200, json.dumps({"keys": [published]}).encode())

    refused = await shop.browser.get(await sent(shop))

    assert refused.status_code == 502
    assert "signature" in refused.text
    assert not await is_inside(shop)


async def test_a_way_back_works_once_and_in_the_browser_that_was_sent(shop: Shop) -> None:
    back = await sent(shop)
    attempt = dict(shop.browser.http.cookies)
    async with Browser(shop.address) as other:
        elsewhere = await other.get(back)
        assert not other.http.cookies
    first = await shop.browser.get(back)
    again = await shop.browser.get(back)
    shop.browser.http.cookies.clear()
    shop.browser.http.cookies.update(attempt)
    used = await shop.browser.get(back)

    assert (elsewhere.status_code, first.status_code, again.status_code) == (400, 303, 400)
    assert "belongs to no attempt" in again.text
    assert used.status_code == 400
    assert "does not take the code" in used.text
    assert not await is_inside(shop)


async def test_signing_in_makes_a_new_session_and_leads_to_pages_of_ours(shop: Shop) -> None:
    await shop.sign_in(KEY)
    before = dict(shop.browser.http.cookies)
    for elsewhere in ("https://evil.example/", "//evil.example", "/v1/orders", f"{ROOT}/enter/x"):
        entered = await shop.browser.get(await sent(shop, elsewhere))
        assert entered.headers["location"] == ROOT

    after = dict(shop.browser.http.cookies)
    assert before["holdfast-console"] != after["holdfast-console"]
    shop.browser.http.cookies.clear()
    shop.browser.http.cookies.update(before)
    assert not await is_inside(shop), "whoever planted it is out"


async def test_who_is_denied_and_who_finds_nobody_there_are_told_so(
    shop: Shop, provider: CodeProvider
) -> None:
    provider.discovery["token_endpoint_auth_methods_supported"] = ["client_secret_post"]
    provider.denies = "access_denied"
    denied = await shop.browser.get(await sent(shop))
    provider.denies = ""
    back = await sent(shop)
    was, provider.answers[TOKEN] = provider.answers[TOKEN], answers(500, b"")
    broken = await shop.browser.get(back)
    provider.answers[TOKEN] = answers(400, b'{"error": "unauthorized_client"}')
    unknown = await shop.browser.get(await sent(shop))
    provider.answers[TOKEN] = was
    await signed_in(shop)

    assert (denied.status_code, broken.status_code, unknown.status_code) == (403, 503, 502)
    assert "you declined" in denied.text
    assert "does not answer" in broken.text
    assert "unauthorized_client" in unknown.text
    assert f'action="{ROOT}/sign-in"' in broken.text, "a key still opens"


async def test_a_provider_that_is_away_or_speaks_of_another_is_told_and_asked_again(
    shop: Shop, provider: CodeProvider
) -> None:
    provider.go_away()
    away = await shop.browser.get(START)
    provider.come_back()
    provider.answers[DISCOVERY] = answers(200, b'{"issuer": "https://evil.example"}')
    another = await shop.browser.get(START)
    del provider.answers[DISCOVERY]
    provider.discovery["authorization_endpoint"] = "http://evil.example/authorize"
    unsound = await shop.browser.get(START)

    for answer in (away, another, unsound):
        assert answer.status_code == 503
        assert "does not answer" in answer.text
        assert not shop.browser.http.cookies


async def test_where_services_take_no_access_token_they_are_shown_the_id_token(
    shop: Shop, provider: CodeProvider
) -> None:
    provider.opaque = True
    provider.identity |= {"aud": [CLIENT_ID, AUDIENCE], "azp": CLIENT_ID, "scope": RIGHTS}
    await signed_in(shop)
    assert await is_inside(shop)
    out = await shop.browser.post(f"{ROOT}/sign-out", {})
    assert "eyJ" not in out.text + out.headers["refresh"], "what opens goes into no address"

    provider.identity.pop("aud")
    refused = await shop.browser.get(await sent(shop))

    assert refused.status_code == 403
    assert "The access token: the token is no signed JWT" in refused.text
    assert "The ID token: the token is not meant for this service" in refused.text


async def test_a_token_is_renewed_and_rights_with_it(
    shop: Shop, provider: CodeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider.access["scope"] = "orders:read"
    await signed_in(shop)
    before = await shop.browser.get(f"{ROOT}/products")
    provider.access["scope"] = RIGHTS
    monkeypatch.setattr(ProviderLease, "is_due", lambda _: True)
    answered = [await shop.browser.get(f"{ROOT}/products") for _ in range(3)]

    assert before.status_code == 403
    assert [one.status_code for one in answered] == 3 * [200]
    assert provider.renewed == 3


async def test_what_is_not_renewed_or_for_another_ends_the_session(
    shop: Shop, provider: CodeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def ends() -> bool:
        with monkeypatch.context() as late:
            late.setattr(ProviderLease, "is_due", lambda _: True)
            return not await is_inside(shop)

    await signed_in(shop)
    provider.identity["sub"] = "bert"
    assert await ends()
    provider.identity.clear()

    await signed_in(shop)
    provider.renews_identity, provider.access["sub"] = False, "bert"
    assert await ends()
    del provider.access["sub"]

    await signed_in(shop)
    provider.answers[TOKEN] = answers(400, b'{"error": "invalid_grant"}')
    assert await ends()
    assert not await is_inside(shop)


async def test_while_the_provider_is_away_a_token_serves_and_then_one_waits_signed_in(
    shop: Shop, provider: CodeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    await signed_in(shop)
    monkeypatch.setattr(ProviderLease, "is_due", lambda _: True)
    provider.go_away()
    assert await is_inside(shop)

    monkeypatch.setattr(ProviderLease, "is_over", lambda _: True)
    waits = await shop.browser.get(f"{ROOT}/orders")
    provider.come_back()
    monkeypatch.undo()

    assert waits.status_code == 503
    assert "You stay signed in" in waits.text
    assert await is_inside(shop)


async def test_who_signs_out_is_out_here_and_led_to_where_the_provider_signs_out(
    shop: Shop, provider: CodeProvider
) -> None:
    await signed_in(shop)
    cookies = dict(shop.browser.http.cookies)

    out = await shop.browser.post(f"{ROOT}/sign-out", {})
    shop.browser.http.cookies.update(cookies)

    way = urlsplit(out.headers["refresh"].removeprefix("0; url="))
    told = parse_qs(way.query)
    assert f"{way.scheme}://{way.netloc}{way.path}" == provider.url + LOGOUT
    assert told["post_logout_redirect_uri"] == [f"http://{shop.address}{ROOT}/sign-in"]
    assert told["client_id"] == [CLIENT_ID]
    assert len(told["id_token_hint"]) == 1
    assert "signs you out, too" in out.text
    assert not await is_inside(shop)
