"""Tokens that somebody made up, altered, stole or kept too long, and the few that are good.

Each row of what an attacker may try has its own test and its exact reason.
"""

import hmac
import json
from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from joserfc.jwk import RSAKey

from holdfast.chassis.identity import tokens as tokens_module
from holdfast.chassis.identity.roles import CUSTOMER, ROLES
from holdfast.chassis.identity.tokens import TOKEN_BYTES_MAX, Tokens
from testbed.oidc import AUDIENCE, LIFE_S, Provider, answers, new_key, part, providing, public
from tests.integration.issuers.conftest import SkewedClock, refused, tokens_of

LEEWAY_S = 30


def unsigned(header: object, claims: object, signature: str = "") -> str:
    return f"{part(header)}.{part(claims)}.{signature}"


def by_secret(header: dict[str, Any], claims: object, secret: bytes) -> str:
    """A token signed with HS256."""
    body = f"{part(header)}.{part(claims)}"
    return f"{body}.{part(hmac.digest(secret, body.encode(), sha256))}"


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


# Shape


@pytest.mark.parametrize(
    "token",
    [
        "",
        "hello",
        "a.b",
        "a.b.c",
        "..",
        "e30.e30.e30",
        "e30.e30.e30.e30.e30",
        "é.é.é",
        "\ud800.a.b",
        f"{part(['alg'])}.e30.",
        f"{part('alg')}.e30.",
        f"{part(7)}.e30.",
        f"{part(None)}.e30.",
        f"{part(b'[' * 5000)}.e30.",
        f"{part(b'{')}.e30.",
        f"{part(bytes([0xFF, 0xFE]))}.e30.",
        f"{part({'alg': 'RS256'})}.{part(b'[' * 5000)}.e30",
        f"{part({'alg': 'RS256'})}.{part([1])}.e30",
        f"{part({'alg': 'RS256'})}.{part(b'[NaN]')}.e30",
        f"{part({'alg': 'RS256'})}.e30=.e30",
        f"{part({'alg': 'RS256'})}.e3 0.e30",
        f"{part({'alg': 'RS256', 'b64': False, 'crit': ['b64']})}.e30.e30",
        f"{part({'alg': 'RS256', 'b64': True})}.e30.e30",
    ],
)
async def test_what_is_no_token_is_refused(tokens: Tokens, token: str) -> None:
    assert await refused(tokens, token) == "TOKEN_MALFORMED"


@pytest.mark.parametrize("crit", [["exp"], [], ["b64"], "exp", 5, [[]], None, ["alg"]])
async def test_a_header_that_demands_to_be_understood_is_refused(
    tokens: Tokens, provider: Provider, crit: object
) -> None:
    header, claims, signature = provider.token().split(".")
    header = part({"alg": "RS256", "kid": provider.keys[0].kid, "exp": 1, "crit": crit})

    assert await refused(tokens, f"{header}.{claims}.{signature}") == "TOKEN_MALFORMED"


async def test_a_huge_token_is_refused_before_it_is_read(
    tokens: Tokens, provider: Provider
) -> None:
    assert await refused(tokens, provider.token(jti="x" * 100_000)) == "TOKEN_TOO_LARGE"
    assert await refused(tokens, "." * (TOKEN_BYTES_MAX + 1)) == "TOKEN_TOO_LARGE"
    assert not provider.asked


async def test_an_encrypted_token_is_refused(tokens: Tokens) -> None:
    header = part({"alg": "RSA-OAEP", "enc": "A256GCM"})

    assert await refused(tokens, f"{header}.a.b.c.d") == "TOKEN_MALFORMED"


async def test_a_token_within_a_token_is_refused(tokens: Tokens, provider: Provider) -> None:
    inner = provider.token().encode()
    header, _, _ = provider.token(header={"cty": "JWT"}).split(".")

    assert await refused(tokens, f"{header}.{part(inner)}.e30") == "TOKEN_MALFORMED"


@pytest.mark.parametrize("kind", ["at+jwt", "application/at+jwt", "JWT", "jwt", "AT+JWT", None])
async def test_access_tokens_are_good_by_any_of_their_names(
    tokens: Tokens, provider: Provider, kind: str | None
) -> None:
    assert await tokens.principal(provider.token(header={"typ": kind}))


@pytest.mark.parametrize("kind", ["logout+jwt", "dpop+jwt", "JOSE", "", "secevent+jwt"])
async def test_a_token_of_another_kind_is_refused(
    tokens: Tokens, provider: Provider, kind: str
) -> None:
    assert await refused(tokens, provider.token(header={"typ": kind})) == "TOKEN_TYPE"


async def test_where_only_access_tokens_are_let_in_an_id_token_is_refused(
    provider: Provider, clock: SkewedClock
) -> None:
    async with tokens_of(provider, clock=clock, types=["at+jwt"]) as tokens:
        assert await tokens.principal(provider.token())
        for kind in ("JWT", None):
            assert await refused(tokens, provider.token(header={"typ": kind})) == "TOKEN_TYPE"


async def test_headers_that_nobody_here_knows_are_nobody_s_business(
    tokens: Tokens, provider: Provider
) -> None:
    header, claims, _ = provider.token().split(".")
    key = provider.keys[0]
    body = f"{part({'alg': 'RS256', 'kid': key.kid, 'nonce': 'x', 'x5t': 'abc'})}.{claims}"
    assert isinstance(key, RSAKey)
    signature = sign(key, body.encode())

    assert header
    assert await tokens.principal(f"{body}.{part(signature)}")


def sign(key: RSAKey, body: bytes) -> bytes:
    private = key.private_key
    assert private is not None
    return private.sign(body, PKCS1v15(), SHA256())


# Who signed it


@pytest.mark.parametrize(
    "algorithm",
    ["none", "None", "NONE", "nOnE", "", "HS256", "RS384", "EdDSA", ["RS256"], None, 7, {}, True],
)
async def test_an_algorithm_that_was_not_set_is_refused_whatever_the_header_says(
    tokens: Tokens, provider: Provider, algorithm: object
) -> None:
    _, claims, signature = provider.token().split(".")
    header = part({"alg": algorithm, "kid": provider.keys[0].kid})

    assert await refused(tokens, f"{header}.{claims}.") == "TOKEN_ALGORITHM"
    assert await refused(tokens, f"{header}.{claims}.{signature}") == "TOKEN_ALGORITHM"


async def test_a_header_without_an_algorithm_is_refused(tokens: Tokens, provider: Provider) -> None:
    assert await refused(tokens, unsigned({}, provider.claims())) == "TOKEN_MALFORMED"


async def test_the_public_key_is_no_secret_to_sign_with(tokens: Tokens, provider: Provider) -> None:
    key = provider.keys[0]
    assert isinstance(key, RSAKey)
    secrets = [
        key.as_pem(private=False),
        key.as_pem(private=False).strip(),
        key.as_der(private=False),
        json.dumps(public(key)).encode(),
    ]
    for secret in secrets:
        for algorithm in ("HS256", "RS256"):
            forged = by_secret({"alg": algorithm, "kid": key.kid}, provider.claims(), secret)
            expected = "TOKEN_ALGORITHM" if algorithm == "HS256" else "TOKEN_SIGNATURE"
            assert await refused(tokens, forged) == expected


async def test_a_set_with_a_secret_in_it_makes_nobody_trust_the_secret(
    tokens: Tokens, provider: Provider
) -> None:
    provider.answers["/keys"] = answers(
        200, json.dumps({"keys": [{"kty": "oct", "k": part(b"s" * 32), "kid": "s"}]}).encode()
    )

    forged = by_secret({"alg": "HS256", "kid": "s"}, provider.claims(), b"s" * 32)

    assert await refused(tokens, forged) == "TOKEN_ALGORITHM"


@pytest.mark.parametrize(("mine", "theirs"), [("EC", "EC"), ("RSA", "RSA"), ("OKP", "OKP")])
async def test_a_token_signed_by_another_key_is_refused(
    tokens: Tokens, provider: Provider, mine: str, theirs: str
) -> None:
    provider.rotate(theirs)
    forged = provider.token(key=new_key(mine), header={"kid": provider.keys[0].kid})

    assert await refused(tokens, forged) == "TOKEN_SIGNATURE"


async def test_a_key_is_not_used_for_the_algorithm_of_another(
    tokens: Tokens, provider: Provider
) -> None:
    provider.rotate("EC")
    for kind in ("RSA", "OKP"):
        forged = provider.token(key=new_key(kind), header={"kid": provider.keys[0].kid})
        assert await refused(tokens, forged) == "TOKEN_KEY_UNKNOWN"


async def test_an_altered_token_is_refused(tokens: Tokens, provider: Provider) -> None:
    header, claims, signature = provider.token().split(".")
    other = part(provider.claims(scope="admin"))

    assert await refused(tokens, f"{header}.{other}.{signature}") == "TOKEN_SIGNATURE"
    assert await refused(tokens, f"{header}.{claims}.") == "TOKEN_SIGNATURE"
    assert await refused(tokens, f"{header}.{claims}.{signature[:-4]}") == "TOKEN_SIGNATURE"
    assert await refused(tokens, f"{header}.{claims}.{'A' * len(signature)}") == "TOKEN_SIGNATURE"


@pytest.mark.parametrize("kind", ["EC", "OKP"])
async def test_a_signature_of_nothing_but_zeros_is_refused(
    tokens: Tokens, provider: Provider, kind: str
) -> None:
    provider.rotate(kind)
    header, claims, _ = provider.token().split(".")

    assert await refused(tokens, f"{header}.{claims}.{part(bytes(64))}") == "TOKEN_SIGNATURE"


@pytest.mark.parametrize(
    "kid",
    [
        "other",
        "",
        "../../../../dev/null",
        "' OR 1=1 --",
        "http://127.0.0.1:1/keys",
        "x" * 5_000,
        "\0",
    ],
)
async def test_a_key_id_is_looked_up_and_nothing_else(
    tokens: Tokens, provider: Provider, kid: str
) -> None:
    assert await refused(tokens, provider.token(header={"kid": kid})) == "TOKEN_KEY_UNKNOWN"
    assert set(provider.asked) == {"/.well-known/openid-configuration", "/keys"}


@pytest.mark.parametrize("kid", [7, ["a"], {}, True])
async def test_a_key_id_that_is_no_text_is_refused(
    tokens: Tokens, provider: Provider, kid: object
) -> None:
    _, claims, signature = provider.token().split(".")
    header = part({"alg": "RS256", "kid": kid})

    assert await refused(tokens, f"{header}.{claims}.{signature}") == "TOKEN_MALFORMED"


async def test_a_token_can_t_bring_its_own_key(tokens: Tokens, provider: Provider) -> None:
    mine = new_key("RSA")
    with providing() as elsewhere:
        elsewhere.keys = [mine]
        for brought in (
            {"jwk": public(mine)},
            {"jku": f"{elsewhere.url}/keys"},
            {"x5u": f"{elsewhere.url}/keys"},
            {"x5c": ["MIIB"]},
        ):
            forged = provider.token(key=mine, header=brought)
            assert await refused(tokens, forged) == "TOKEN_KEY_UNKNOWN"
            forged = provider.token(key=mine, header={**brought, "kid": provider.keys[0].kid})
            assert await refused(tokens, forged) == "TOKEN_SIGNATURE"
            forged = provider.token(key=mine, header={**brought, "kid": None})
            assert await refused(tokens, forged) == "TOKEN_SIGNATURE"
        assert not elsewhere.asked


async def test_a_token_that_names_no_key_is_good_while_there_is_one_it_could_mean(
    tokens: Tokens, provider: Provider
) -> None:
    provider.rotate("EC", keep=True)
    assert await tokens.principal(provider.token(header={"kid": None}))


async def test_a_token_that_names_no_key_of_several_is_refused(
    tokens: Tokens, provider: Provider
) -> None:
    provider.rotate("RSA", keep=True)
    assert await refused(tokens, provider.token(header={"kid": None})) == "TOKEN_KEY_UNKNOWN"


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

    token = f"{body}.{part(sign(key, body.encode()))}"

    assert await refused(tokens, token) in {"TOKEN_CLAIMS", "TOKEN_MALFORMED"}


async def test_a_token_expires_but_for_the_leeway(
    tokens: Tokens, provider: Provider, clock: SkewedClock
) -> None:
    token = provider.token()
    expires_at = provider.claims()["exp"]

    clock.advance(expires_at + LEEWAY_S - clock.now().timestamp() - 0.001)
    assert await tokens.principal(token)
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
