"""Webhooks' secrets are opened by whoever has the key, for the webhook they are of, and only so."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from holdfast.notifier.infrastructure.sealing import (
    SealBroken,
    Sealer,
    SealingKeyMissing,
    SealingSettings,
)

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
FIRST, SECOND, THIRD = 64 * "1", 64 * "2", 64 * "3"
WEBHOOK = "0199d3a4-7c00-7000-8000-000000000001"
GOLDEN = (
    "017c42b0def581e59d595c4b118ab5d64dae3261f155195d4a44a73efb5fd4b2b13b326033f849d37cca"
    "cb50858f1b6050cd39d369b124c94c92209182e533a30d6abdd57e2d02"
)
OTHER = "0199d3a4-7c00-7000-8000-000000000002"


def test_what_is_sealed_is_opened() -> None:
    sealer = Sealer([FIRST])

    assert sealer.open(sealer.seal(SECRET, WEBHOOK), WEBHOOK) == SECRET
    assert Sealer([FIRST]).open(sealer.seal(SECRET, WEBHOOK), WEBHOOK) == SECRET


def test_what_was_sealed_by_an_earlier_release_is_opened() -> None:
    """Written once: databases hold such bytes across every upgrade."""
    sealed = bytes.fromhex(GOLDEN)

    assert Sealer([FIRST]).open(sealed, WEBHOOK) == SECRET


def test_nothing_of_a_secret_is_seen_and_the_same_is_sealed_otherwise() -> None:
    sealer = Sealer([FIRST])
    one, other = sealer.seal(SECRET, WEBHOOK), sealer.seal(SECRET, WEBHOOK)

    assert one[5:] != other[5:]
    assert SECRET.encode() not in one
    assert FIRST.encode() not in one


def test_another_webhook_s_secret_is_not_opened() -> None:
    sealer = Sealer([FIRST])

    with pytest.raises(SealBroken, match=f"webhook {OTHER} is damaged or another webhook's"):
        sealer.open(sealer.seal(SECRET, WEBHOOK), OTHER)


def test_after_a_rotation_the_new_key_seals_and_the_old_one_opens() -> None:
    old, both, new = Sealer([FIRST]), Sealer([SECOND, FIRST]), Sealer([SECOND])
    before = old.seal(SECRET, WEBHOOK)

    assert both.open(before, WEBHOOK) == SECRET
    assert not both.is_newest(before)
    after = both.seal(SECRET, WEBHOOK)
    assert both.is_newest(after)
    assert new.open(after, WEBHOOK) == SECRET
    assert both.key_id == new.key_id != old.key_id


def test_a_key_that_is_gone_is_named() -> None:
    old, new = Sealer([FIRST]), Sealer([SECOND, THIRD])

    with pytest.raises(SealingKeyMissing) as missing:
        new.open(old.seal(SECRET, WEBHOOK), WEBHOOK)

    assert missing.value.key_id == old.key_id
    assert f"sealed under key {old.key_id}" in str(missing.value)
    assert f"keys {new.key_id}, {Sealer([THIRD]).key_id}:" in str(missing.value)
    assert FIRST not in str(missing.value)


def test_no_byte_can_be_changed() -> None:
    sealer = Sealer([FIRST])
    sealed = sealer.seal(SECRET, WEBHOOK)

    for at in range(len(sealed)):
        changed = bytearray(sealed)
        changed[at] ^= 1
        with pytest.raises((SealBroken, SealingKeyMissing)):
            sealer.open(bytes(changed), WEBHOOK)


@given(st.one_of(st.binary(max_size=80), st.binary(max_size=80).map(b"\x01".__add__)))
def test_what_was_never_sealed_is_not_opened(rubbish: bytes) -> None:
    with pytest.raises((SealBroken, SealingKeyMissing)):
        Sealer([FIRST]).open(rubbish, WEBHOOK)


@given(st.text(st.characters(exclude_categories=["Cs"])), st.text(st.characters(max_codepoint=999)))
def test_any_text_comes_back(secret: str, webhook_id: str) -> None:
    sealer = Sealer([FIRST])

    assert sealer.open(sealer.seal(secret, webhook_id), webhook_id) == secret


def test_settings_hold_one_or_more_and_show_none() -> None:
    settings = SealingSettings.model_validate({"sealing_secrets": f" {SECOND}\n{FIRST} "})

    assert settings.sealer().key_id == Sealer([SECOND]).key_id
    assert settings.sealer().open(Sealer([FIRST]).seal(SECRET, WEBHOOK), WEBHOOK) == SECRET
    for shown in (repr(settings), str(settings), repr(settings.sealer()), str(vars(settings))):
        assert FIRST not in shown
        assert SECOND not in shown


@pytest.mark.parametrize(
    ("text", "message"),
    [("", "is empty"), ("  ", "is empty"), (f"{FIRST} short", "number 2 has less than 32")],
)
def test_a_secret_that_could_be_guessed_is_refused_and_not_repeated(
    text: str, message: str
) -> None:
    with pytest.raises(ValidationError, match=message) as refused:
        SealingSettings.model_validate({"sealing_secrets": text})

    assert FIRST not in str(refused.value)
