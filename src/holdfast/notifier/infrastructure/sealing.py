"""Webhooks' secrets at rest: they must be read again to sign, and so are encrypted, not hashed.

AES-256-GCM (NIST SP 800-38D) under a key from the settings, with a nonce of chance. What is kept is
a version, the id of the key, the nonce and the ciphertext. The id of the webhook is authenticated
with it: a secret that is moved to another webhook's row is not opened.
"""

import hmac
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import BaseModel, SecretStr, field_validator

from holdfast.chassis.clock import new_secret_bytes

SEALING_SECRET_CHARACTERS_MIN = 32

_VERSION = b"\x01"
_KEY_ID_BYTES, _NONCE_BYTES, _TAG_BYTES = 4, 12, 16
_HEAD_BYTES = len(_VERSION) + _KEY_ID_BYTES


class SealingSettings(BaseModel):
    """What secrets are sealed with.

    :param sealing_secrets: each 32 characters or more, with spaces between: the first seals, all of
        them open. To change it, put a new one in front; the old one is needed as long as
        something is sealed under it.
    """

    sealing_secrets: SecretStr

    @field_validator("sealing_secrets")
    @classmethod
    def _secrets_long_enough(cls, value: SecretStr) -> SecretStr:
        texts = value.get_secret_value().split()
        if not texts:
            raise ValueError("is empty: try `openssl rand -hex 32`")
        for number, text in enumerate(texts, start=1):
            if len(text) < SEALING_SECRET_CHARACTERS_MIN:
                raise ValueError(
                    f"number {number} has less than {SEALING_SECRET_CHARACTERS_MIN} characters: "
                    "try `openssl rand -hex 32`"
                )
        return value

    def sealer(self) -> "Sealer":
        """Return what seals and opens with them."""
        return Sealer(self.sealing_secrets.get_secret_value().split())


class SealingKeyMissing(Exception):
    """Something is sealed under a key that the settings don't hold."""

    reason = "SEALING_KEY_MISSING"

    def __init__(self, key_id: str, known: Sequence[str]) -> None:
        super().__init__(
            f"the secret of a webhook is sealed under key {key_id}, and the sealing secrets make "
            f"keys {', '.join(known)}: add the one that made it behind the others, or rotate "
            "the webhook's secret"
        )
        self.key_id = key_id


class SealBroken(Exception):
    """What was sealed is damaged, or was sealed for another webhook."""

    reason = "SEAL_BROKEN"

    def __init__(self, webhook_id: str) -> None:
        super().__init__(
            f"the sealed secret of webhook {webhook_id} is damaged or another webhook's: rotate it"
        )
        self.webhook_id = webhook_id


class Sealer:
    """Seals secrets, and opens them again.

    :param secrets: one or more, of which keys are made; the first seals.
    """

    def __init__(self, secrets: Sequence[str]) -> None:
        assert secrets, "something must seal"
        self._keys = {_key_id(one): AESGCM(_derived(one, "key")) for one in secrets}
        self._first = _key_id(secrets[0])

    @property
    def key_id(self) -> str:
        """Names the key that seals, and tells nothing of it."""
        return self._first.hex()

    def seal(self, secret: str, webhook_id: str) -> bytes:
        """Return a secret as it may be kept; another time it is sealed otherwise."""
        head, nonce = _VERSION + self._first, new_secret_bytes(_NONCE_BYTES)
        cipher = self._keys[self._first]
        return head + nonce + cipher.encrypt(nonce, secret.encode(), head + webhook_id.encode())

    def open(self, sealed: bytes, webhook_id: str) -> str:
        """Return a secret that was sealed for this webhook.

        :raises SealingKeyMissing: under a key that is not there.
        :raises SealBroken: for another one, or it has been changed.
        """
        head, rest = sealed[:_HEAD_BYTES], sealed[_HEAD_BYTES:]
        if not head.startswith(_VERSION) or len(rest) < _NONCE_BYTES + _TAG_BYTES:
            raise SealBroken(webhook_id)
        key_id = head[len(_VERSION) :]
        if key_id not in self._keys:
            raise SealingKeyMissing(key_id.hex(), [known.hex() for known in self._keys])
        nonce, ciphertext = rest[:_NONCE_BYTES], rest[_NONCE_BYTES:]
        try:
            opened = self._keys[key_id].decrypt(nonce, ciphertext, head + webhook_id.encode())
        except InvalidTag as error:
            raise SealBroken(webhook_id) from error
        return opened.decode()

    def is_newest(self, sealed: bytes) -> bool:
        """Whether it is sealed under the key that seals now; else it is time to seal it again."""
        return sealed.startswith(_VERSION + self._first)


def _key_id(secret: str) -> bytes:
    return _derived(secret, "id")[:_KEY_ID_BYTES]


def _derived(secret: str, purpose: str) -> bytes:
    """A secret has 32 characters of chance or more, so one round is enough; the two purposes tell
    nothing of each other."""
    return hmac.digest(secret.encode(), f"holdfast webhook sealing {purpose}".encode(), "sha256")
