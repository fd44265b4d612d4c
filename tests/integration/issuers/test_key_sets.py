"""What an issuer publishes as its keys, and which of them are used."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import ECKey, RSAKey
from joserfc.util import int_to_base64

from holdfast.chassis.identity.issuer_keys import (
    keys_in,
)
from testbed.oidc import new_key, part, public


def weak() -> dict[str, Any]:
    """A key that could be broken: 1,024 bits."""
    return {"kty": "RSA", "kid": "weak", "n": int_to_base64((1 << 1023) + 1), "e": "AQAB"}


def sets() -> dict[str, tuple[dict[str, Any], int]]:
    rsa, curve = public(RSAKey.generate_key(2_048)), public(ECKey.generate_key("P-256"))
    private = ECKey.generate_key("P-256").as_dict(private=True)
    return {
        "none": ({}, 0),
        "good": (rsa, 1),
        "good with what others read": (rsa | {"x5c": 7, "x5u": 7, "nbf": 1, "foo": "bar"}, 1),
        "for encryption": (rsa | {"use": "enc"}, 0),
        "for other operations": (rsa | {"key_ops": ["encrypt"]}, 0),
        "for verifying": (rsa | {"key_ops": ["verify"]}, 1),
        "of odd operations": (rsa | {"key_ops": 7}, 0),
        "of a kind to come": ({"kty": "AKP", "pub": "x"}, 0),
        "of an odd kind": ({"kty": ["RSA"]}, 0),
        "a secret": ({"kty": "oct", "k": part(b"s" * 32)}, 0),
        "private": (dict(private), 0),
        "weak": (weak(), 0),
        "endless": ({"kty": "RSA", "n": int_to_base64(1 << 9_000), "e": "AQAB"}, 0),
        "without a modulus": ({"kty": "RSA", "e": "AQAB"}, 0),
        "with an odd modulus": (rsa | {"n": 7}, 0),
        "beside the curve": (curve | {"y": curve["x"]}, 0),
        "of no curve": (curve | {"crv": "P-257"}, 0),
        "of an odd curve": (curve | {"crv": ["P-256"]}, 0),
        "with an odd id": (curve | {"kid": 7}, 0),
        "cut off": (curve | {"x": "AA"}, 0),
    }


@pytest.mark.parametrize("what", sets())
async def test_a_key_that_is_of_no_use_does_not_hide_the_good_one_beside_it(what: str) -> None:
    key, uses = sets()[what]
    good = public(new_key("OKP"))

    assert len(keys_in({"keys": [key, good]})) == uses + 1


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)
MEMBERS = ["kty", "use", "key_ops", "alg", "kid", "n", "e", "crv", "x", "y", "d"]
VALUES = JSON | st.sampled_from(["RSA", "EC", "OKP", "sig", "P-256", "Ed25519", "AQAB", "A" * 400])


@given(st.lists(st.dictionaries(st.sampled_from(MEMBERS), VALUES) | JSON, max_size=4))
def test_no_set_of_keys_does_more_than_hold_no_key(listed: list[Any]) -> None:
    assert all(key.key_type in {"RSA", "EC", "OKP"} for key in keys_in({"keys": listed}))
