"""What is sent is signed as the library of Standard Webhooks verifies it."""

import hmac
import json
from base64 import b64decode, b64encode
from datetime import UTC, datetime, timedelta, timezone
from time import time

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from holdfast.notifier.infrastructure.signing import new_secret, signed

BODY = '{"type":"x","data":{"name":"gr\u00fcn"}}'.encode()
NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)


def now() -> datetime:
    """What a verifier takes for now: it refuses what is older than five minutes."""
    return datetime.now(UTC)


def test_the_example_of_the_specification() -> None:
    """The vector that the libraries of Standard Webhooks are tested with."""
    headers = signed(
        ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        b'{"test": 2432232314}',
        datetime.fromtimestamp(1_614_265_330, UTC),
    )

    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_the_library_verifies_it() -> None:
    secret = new_secret()

    content = Webhook(secret).verify(BODY, signed([secret], "e-1", BODY, now()))

    assert content == json.loads(BODY)


def test_in_rotation_either_secret_verifies_it_and_no_other_does() -> None:
    new, old = new_secret(), new_secret()
    headers = signed([new, old], "e-1", BODY, now())

    assert len(headers["webhook-signature"].split(" ")) == 2
    for secret in (new, old):
        Webhook(secret).verify(BODY, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(new_secret()).verify(BODY, headers)


@pytest.mark.parametrize(
    "changed",
    [{"webhook-id": "e-2"}, {"webhook-timestamp": str(int(time()) + 60)}],
)
def test_what_was_changed_is_not_verified(changed: dict[str, str]) -> None:
    secret = new_secret()
    headers = signed([secret], "e-1", BODY, now())

    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(BODY, headers | changed)
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(BODY + b" ", headers)


def test_an_attempt_has_its_own_time_and_the_event_s_id() -> None:
    secret = new_secret()
    first = signed([secret], "e-1", BODY, NOW)
    second = signed([secret], "e-1", BODY, NOW + timedelta(seconds=5))

    assert first["webhook-id"] == second["webhook-id"]
    assert int(second["webhook-timestamp"]) - int(first["webhook-timestamp"]) == 5
    assert first["webhook-signature"] != second["webhook-signature"]


def test_the_time_is_that_of_the_moment_whatever_its_zone() -> None:
    secret, elsewhere = new_secret(), NOW.astimezone(timezone(timedelta(hours=9)))

    assert signed([secret], "e-1", BODY, elsewhere) == signed([secret], "e-1", BODY, NOW)


def test_a_signature_is_over_id_time_and_body_under_the_decoded_secret() -> None:
    secret = new_secret()
    headers = signed([secret], "e-1", BODY, NOW)

    content = f"e-1.{headers['webhook-timestamp']}.".encode() + BODY
    digest = hmac.digest(b64decode(secret.removeprefix("whsec_")), content, "sha256")
    assert headers["webhook-signature"] == "v1," + b64encode(digest).decode()


def test_a_secret_has_32_bytes_and_is_like_no_other() -> None:
    secrets = {new_secret() for _ in range(100)}

    assert len(secrets) == 100
    for secret in secrets:
        assert secret.startswith("whsec_")
        assert len(b64decode(secret.removeprefix("whsec_"), validate=True)) == 32


def test_nothing_is_sent_unsigned() -> None:
    with pytest.raises(AssertionError):
        signed([], "e-1", BODY, NOW)
