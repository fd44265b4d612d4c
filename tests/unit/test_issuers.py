"""The setting `issuers`: what an operator may say, and what is refused before anything starts."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from holdfast.chassis.identity.issuers import Issuer, Issuers
from holdfast.chassis.identity.roles import CUSTOMER, ROLES, SCOPES
from testbed.authority import Authority

URL = "https://login.shop.example/realms/shop"
READ: TypeAdapter[tuple[Issuer, ...]] = TypeAdapter(Issuers)


def issuer(**changed: Any) -> Issuer:
    return Issuer(**{"issuer": URL, "audiences": ["holdfast"], **changed})


def test_issuers_come_from_the_environment_as_json_and_from_a_file_as_tables() -> None:
    table = {"issuer": URL, "audiences": ["holdfast"]}

    assert READ.validate_python(json.dumps([table])) == READ.validate_python([table])
    assert READ.validate_python(" ") == READ.validate_python([]) == ()


@pytest.mark.parametrize("text", ["{", "nobody", '{"issuer": 1}'])
def test_what_is_no_list_of_issuers_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        READ.validate_python(text)


@pytest.mark.parametrize(
    "url", [URL, "http://localhost:8080/r", "http://127.0.0.9", "http://[::1]:1"]
)
def test_an_issuer_is_at_https_or_on_this_machine(url: str) -> None:
    assert issuer(issuer=url).issuer == url


@pytest.mark.parametrize(
    "url",
    [
        "http://login.shop.example",
        "http://localhost.shop.example",
        "http://127.0.0.1.shop.example",
        "http://127.0.0.1@login.shop.example/",
        "https://user:word@login.shop.example",
        "https://",
        "https://login.shop.example/#here",
        "https://login.shop.example:port",
        "https://[::1",
        "https://login.shop.example/\r\nHost: x",
        "file:///etc/passwd",
        "",
    ],
)
def test_an_address_that_anybody_on_the_way_could_answer_for_is_refused(url: str) -> None:
    with pytest.raises(ValidationError):
        issuer(issuer=url)


def test_keys_of_an_issuer_elsewhere_are_not_read_from_this_machine() -> None:
    with pytest.raises(ValidationError, match="loopback"):
        issuer(jwks_url="http://127.0.0.1:9000/keys")

    assert issuer(issuer="http://127.0.0.1:9", jwks_url="http://127.0.0.1:9/keys").jwks_url


@pytest.mark.parametrize("algorithm", ["none", "None", "HS256", "HS384", "HS512", "EdDSA", "RS1"])
def test_an_algorithm_whose_key_is_a_secret_or_nothing_cannot_be_set(algorithm: str) -> None:
    with pytest.raises(ValidationError):
        issuer(algorithms=[algorithm])


@pytest.mark.parametrize(
    "changed",
    [
        {"audiences": []},
        {"audiences": [""]},
        {"algorithms": []},
        {"types": []},
        {"leeway_s": 61},
        {"leeway_s": -1},
        {"lifetime_s_max": 0},
        {"name": "two words"},
        {"name": "a@b"},
        {"ca": "/nowhere/ca.pem"},
        {"rights": {"oms": ["king"]}},
        {"rights_claim": "roles"},
        {"rights_claim": ["realm_access", "roles"]},
        {"unknown": 1},
    ],
)
def test_a_setting_that_would_let_in_anybody_or_nobody_is_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        issuer(**changed)


def test_two_issuers_are_told_apart_in_the_names_of_their_callers() -> None:
    one = {"issuer": f"{URL}/1", "audiences": ["holdfast"]}
    two = {"issuer": f"{URL}/2", "audiences": ["holdfast"]}

    with pytest.raises(ValidationError, match="name"):
        READ.validate_python([one, two])
    with pytest.raises(ValidationError, match="two issuers"):
        READ.validate_python([one, one])

    assert [each.label for each in READ.validate_python([one, two | {"name": "staff"}])] == [
        "login.shop.example",
        "staff",
    ]


def test_our_own_names_in_scope_count_as_they_are_and_others_for_nothing() -> None:
    claims = {"scope": "openid orders:read warehouse king"}

    assert issuer().scopes_in(claims) == ROLES["warehouse"] | {"orders:read"}


def test_words_that_are_translated_count_only_as_translated() -> None:
    rights = {"oms-staff": ("support", "audit:read"), "buyer": ("customer",)}
    staff = issuer(rights_claim=["realm_access", "roles"], rights=rights)

    assert staff.scopes_in({"realm_access": {"roles": ["oms-staff", "admin", 7]}}) == (
        ROLES["support"] | {"audit:read"}
    )
    assert staff.scopes_in({"realm_access": {"roles": ["admin"]}}) == frozenset()
    assert staff.scopes_in({"realm_access": {"roles": ["buyer"]}}) == {CUSTOMER}


def test_a_claim_with_dots_in_its_name_is_no_path() -> None:
    named = issuer(rights_claim="https://shop.example/roles", rights={"a": ["viewer"]})

    assert named.scopes_in({"https://shop.example/roles": ["a"]}) == ROLES["viewer"]


@pytest.mark.parametrize("value", [None, 7, {}, {"admin": True}, [["admin"]], "Admin", "admin,"])
def test_a_claim_of_another_shape_allows_nothing(value: object) -> None:
    assert issuer().scopes_in({"scope": value}) == frozenset()


def test_a_customer_is_a_customer_whatever_else_the_token_names() -> None:
    everything = " ".join(["admin", CUSTOMER, *SCOPES])

    assert issuer().scopes_in({"scope": everything}) == {CUSTOMER}


def test_an_authority_of_ones_own_is_a_file_of_certificates(tmp_path: Path) -> None:
    rubbish = tmp_path / "rubbish.pem"
    rubbish.write_text("-")

    with pytest.raises(ValidationError, match=r"rubbish\.pem"):
        issuer(ca=rubbish)

    assert issuer(ca=Authority(tmp_path).ca).ca
