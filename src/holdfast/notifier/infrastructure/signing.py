"""Signatures of what is sent, as Standard Webhooks 1.0.0 has them (symmetric, `v1`)."""

from base64 import b64encode
from collections.abc import Sequence
from datetime import UTC, datetime

from standardwebhooks import Webhook

from holdfast.chassis.clock import new_secret_bytes

SECRET_PREFIX = "whsec_"  # noqa: S105 - not a secret, what tells that one follows
SECRET_BYTES = 32


def new_secret() -> str:
    """Make the secret of a webhook: whsec_ and 32 bytes in base64, which nobody can guess."""
    return SECRET_PREFIX + b64encode(new_secret_bytes(SECRET_BYTES)).decode()


def signed(
    secrets: Sequence[str], event_id: str, body: bytes, attempt_at: datetime
) -> dict[str, str]:
    """Return the headers that a body is sent with; of the same arguments, the same.

    :param secrets: that sign, one or more: each adds a signature, of which a receiver needs one.
    :param event_id: the same with every attempt: by it a repeat is known.
    :param attempt_at: when this attempt is made; receivers refuse what is older than 5 minutes.
    """
    assert secrets, "what is not signed is not sent"
    at, text = attempt_at.astimezone(UTC), body.decode()
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(Webhook(one).sign(event_id, at, text) for one in secrets),
    }
