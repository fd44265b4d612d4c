"""Tokens that somebody made up or altered: none of them gets beyond its signature."""

import hmac
import json
from hashlib import sha256
from typing import Any

import pytest
from joserfc.jwk import RSAKey

from holdfast.chassis.identity.tokens import TOKEN_BYTES_MAX, Tokens
from testbed.oidc import Provider, answers, new_key, part, providing, public
from tests.integration.issuers.conftest import SkewedClock, refused, signature_of, tokens_of


def unsigned(header: object, claims: object, signature: str = "") -> str:
    return f"{part(header)}.{part(claims)}.{signature}"


def by_secret(header: dict[str, Any], claims: object, secret: bytes) -> str:
    """A token signed with HS256."""
    body = f"{part(header)}.{part(claims)}"
    return f"{body}.{part(hmac.digest(secret, body.encode(), sha256))}"


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
    signature = signature_of(key, body.encode())

    assert header
    assert await tokens.principal(f"{body}.{part(signature)}")


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
