"""Tokens that are good or were: whom they name, whom they are for, when, and what is remembered."""

import json
from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest
from joserfc.jwk import RSAKey

from holdfast.chassis.identity import tokens as tokens_module
from holdfast.chassis.identity.roles import CUSTOMER, ROLES
from holdfast.chassis.identity.tokens import Tokens
from holdfast.chassis.validation import ID_CHARACTERS_MAX
from testbed.oidc import AUDIENCE, LIFE_S, Provider, part, providing
from tests.integration.issuers.conftest import SkewedClock, refused, signature_of, tokens_of

LEEWAY_S = 30


# Who it names


@pytest.mark.parametrize("kind", ["RSA", "EC", "OKP"])
async def test_a_good_token_names_its_subject_its_issuer_and_its_rights(
    tokens: Tokens, provider: Provider, kind: str
) -> None:
    provider.rotate(kind)

    principal = await tokens.principal(provider.token(scope="orders:read support", jti="t-7"))

    assert principal.name == "anna@p0"
    assert principal.credential_id == "jti:t-7"
    assert principal.scopes == ROLES["support"] | {"orders:read"}
    assert principal.customer_id == ""


async def test_a_customer_s_token_names_the_customer_and_allows_nothing_else(
    tokens: Tokens, provider: Provider
) -> None:
    principal = await tokens.principal(provider.token(sub="c-17", scope=f"admin {CUSTOMER}"))

    assert principal.customer_id == "c-17"
    assert principal.scopes == {CUSTOMER}


async def test_a_customer_may_be_named_by_another_claim(
    provider: Provider, clock: SkewedClock
) -> None:
    async with tokens_of(provider, clock=clock, customer_claim="customer_no") as tokens:
        named = await tokens.principal(provider.token(scope=CUSTOMER, customer_no="c-18"))
        assert named.customer_id == "c-18"
        assert await refused(tokens, provider.token(scope=CUSTOMER)) == "TOKEN_CLAIMS"
        assert await refused(tokens, provider.token(scope=CUSTOMER, customer_no=18)) == (
            "TOKEN_CLAIMS"
        )


async def test_a_token_names_no_customer_whose_id_no_request_could_have(
    tokens: Tokens, provider: Provider
) -> None:
    longest = provider.token(sub="c" * ID_CHARACTERS_MAX, scope=CUSTOMER)
    longer = "c" * (ID_CHARACTERS_MAX + 1)

    assert len((await tokens.principal(longest)).customer_id) == ID_CHARACTERS_MAX
    assert await refused(tokens, provider.token(sub=longer, scope=CUSTOMER)) == "TOKEN_CLAIMS"
    assert (await tokens.principal(provider.token(sub=longer))).name == f"{longer}@p0"


async def test_a_token_without_rights_is_somebody_who_may_do_nothing(
    tokens: Tokens, provider: Provider
) -> None:
    principal = await tokens.principal(provider.token(scope=None))

    assert (principal.name, principal.scopes) == ("anna@p0", frozenset())


@pytest.mark.parametrize("jti", [None, 7, "", "a\nb", "x" * 101])
async def test_a_token_without_a_readable_id_goes_by_its_digest(
    tokens: Tokens, provider: Provider, jti: object
) -> None:
    token = provider.token(jti=jti)

    principal = await tokens.principal(token)

    assert principal.credential_id == f"sha256:{sha256(token.encode()).hexdigest()[:16]}"


@pytest.mark.parametrize(
    "subject", [None, "", 7, ["anna"], "a\nb", "a\0b", "anna\u202e", " anna", "x" * 256]
)
async def test_a_subject_that_cannot_be_written_down_is_refused(
    tokens: Tokens, provider: Provider, subject: object
) -> None:
    assert await refused(tokens, provider.token(sub=subject)) == "TOKEN_CLAIMS"


async def test_a_subject_can_t_pass_for_another_issuer_s(
    tokens: Tokens, provider: Provider
) -> None:
    principal = await tokens.principal(provider.token(sub="root@p1"))

    assert principal.name == "root@p1@p0"


# Whom it is from, whom it is for


@pytest.mark.parametrize("issuer", [None, "", 7, [], "http://127.0.0.1:1", "https://evil.example"])
async def test_a_token_of_an_unknown_issuer_is_refused(
    tokens: Tokens, provider: Provider, issuer: object
) -> None:
    assert await refused(tokens, provider.token(iss=issuer)) == "TOKEN_ISSUER"
    assert not provider.asked


async def test_an_issuer_is_compared_to_the_letter(tokens: Tokens, provider: Provider) -> None:
    for issuer in (f"{provider.url}/", provider.url.upper(), f"{provider.url}#", [provider.url]):
        assert await refused(tokens, provider.token(iss=issuer)) == "TOKEN_ISSUER"


async def test_one_issuer_can_t_speak_for_another(provider: Provider, clock: SkewedClock) -> None:
    with providing(lambda: clock.now().timestamp()) as other:
        async with tokens_of(provider, other, clock=clock) as tokens:
            assert (await tokens.principal(other.token())).name == "anna@p1"
            assert await refused(tokens, other.token(iss=provider.url)) == "TOKEN_KEY_UNKNOWN"
            forged = other.token(iss=provider.url, header={"kid": provider.keys[0].kid})
            assert await refused(tokens, forged) == "TOKEN_SIGNATURE"


@pytest.mark.parametrize(
    "audience", [None, "", "other", [], ["other"], 7, {AUDIENCE: 1}, f"{AUDIENCE} ", [[AUDIENCE]]]
)
async def test_a_token_for_somebody_else_is_refused(
    tokens: Tokens, provider: Provider, audience: object
) -> None:
    assert await refused(tokens, provider.token(aud=audience)) == "TOKEN_AUDIENCE"


async def test_a_token_may_be_for_several(tokens: Tokens, provider: Provider) -> None:
    assert await tokens.principal(provider.token(aud=["shop", AUDIENCE]))


# When it is good


@pytest.mark.parametrize(
    "exp", [None, "1794000000", 1e300, -1, True, [], {}, "", 10**30, 253370764800]
)
async def test_an_expiry_that_is_no_time_is_refused(
    tokens: Tokens, provider: Provider, exp: object
) -> None:
    assert await refused(tokens, provider.token(exp=exp)) == "TOKEN_CLAIMS"


@pytest.mark.parametrize("exp", [b"1e999", b"Infinity", b"NaN", b"-Infinity", b"9" * 5_000])
async def test_an_expiry_that_is_no_number_of_json_is_refused(
    tokens: Tokens, provider: Provider, exp: bytes
) -> None:
    key = provider.keys[0]
    assert isinstance(key, RSAKey)
    claims = json.dumps(provider.claims(exp="?")).encode().replace(b'"?"', exp)
    body = f"{part({'alg': 'RS256', 'kid': key.kid})}.{part(claims)}"

    token = f"{body}.{part(signature_of(key, body.encode()))}"

    assert await refused(tokens, token) in {"TOKEN_CLAIMS", "TOKEN_MALFORMED"}


async def test_a_token_expires_but_for_the_leeway(
    tokens: Tokens, provider: Provider, clock: SkewedClock
) -> None:
    token = provider.token()
    expires_at = provider.claims()["exp"]

    clock.advance(expires_at + LEEWAY_S - clock.now().timestamp() - 0.001)
    assert (await tokens.principal(token)).ends_at == expires_at + LEEWAY_S
    clock.advance(0.001)
    assert await refused(tokens, token) == "TOKEN_EXPIRED"


@pytest.mark.parametrize("claim", ["nbf", "iat"])
async def test_a_token_of_the_future_is_refused_but_for_the_leeway(
    tokens: Tokens, provider: Provider, clock: SkewedClock, claim: str
) -> None:
    begins_at = int(clock.now().timestamp()) + 100
    changed: dict[str, Any] = {claim: begins_at}
    token = provider.token(**changed)

    assert await refused(tokens, token) == "TOKEN_NOT_YET_VALID"
    clock.advance(100 - LEEWAY_S)
    assert await tokens.principal(token)


@pytest.mark.parametrize("claim", ["nbf", "iat"])
@pytest.mark.parametrize("value", ["1794000000", 1e300, True, [], -1])
async def test_a_beginning_that_is_no_time_is_refused(
    tokens: Tokens, provider: Provider, claim: str, value: object
) -> None:
    changed: dict[str, Any] = {claim: value}
    assert await refused(tokens, provider.token(**changed)) == "TOKEN_CLAIMS"


async def test_a_token_needs_no_time_of_issue(tokens: Tokens, provider: Provider) -> None:
    assert await tokens.principal(provider.token(iat=None))


async def test_a_token_that_is_good_for_a_year_is_refused(
    tokens: Tokens, provider: Provider, clock: SkewedClock
) -> None:
    in_a_year = clock.now() + timedelta(days=365)

    assert await refused(tokens, provider.token(exp=in_a_year.timestamp())) == "TOKEN_LIFETIME"


# What is remembered


async def test_a_known_token_is_good_without_looking_for_a_minute_and_then_again(
    tokens: Tokens, provider: Provider, clock: SkewedClock
) -> None:
    token = provider.token()
    assert tokens.known(token) is None

    principal = await tokens.principal(token)

    assert tokens.known(token) == principal
    clock.advance(59)
    assert tokens.known(token) == principal
    clock.advance(1)
    assert tokens.known(token) is None
    assert await tokens.principal(token) == principal


async def test_a_token_is_not_known_for_longer_than_it_is_good(
    tokens: Tokens, provider: Provider, clock: SkewedClock
) -> None:
    token = provider.token(exp=int(clock.now().timestamp()) + 10)
    await tokens.principal(token)

    clock.advance(10)

    assert tokens.known(token) is None
    clock.advance(LEEWAY_S)
    assert await refused(tokens, token) == "TOKEN_EXPIRED"


async def test_a_clock_set_back_makes_nothing_known_for_longer(
    tokens: Tokens, provider: Provider, clock: SkewedClock
) -> None:
    token = provider.token()
    await tokens.principal(token)

    clock.advance(-LIFE_S)

    assert tokens.known(token) is None
    assert await refused(tokens, token) == "TOKEN_NOT_YET_VALID"


async def test_only_so_many_tokens_are_known(
    tokens: Tokens, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens_module, "KNOWN_MAX", 3)
    made = [provider.token(jti=str(number)) for number in range(5)]

    for token in made:
        await tokens.principal(token)

    assert [tokens.known(token) is not None for token in made] == [False, False, True, True, True]


async def test_a_token_that_is_nearly_a_known_one_is_unknown(
    tokens: Tokens, provider: Provider
) -> None:
    token = provider.token()
    await tokens.principal(token)

    assert tokens.known(token[:-1]) is None
    assert tokens.known(token + "A") is None
    assert tokens.known(token + "=") is None
    assert tokens.known("é" + token) is None
    assert await refused(tokens, token + "=") in {"TOKEN_SIGNATURE", "TOKEN_MALFORMED"}
