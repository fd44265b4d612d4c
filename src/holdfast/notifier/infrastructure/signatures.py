"""Signatures of what is sent, by secrets that lie sealed in the database; see `Signer`."""

from collections.abc import Mapping
from datetime import datetime

from holdfast.notifier.application.ports import SecretUnusable
from holdfast.notifier.domain.webhook import Webhook
from holdfast.notifier.infrastructure import signing
from holdfast.notifier.infrastructure.sealing import SealBroken, Sealer, SealingKeyMissing


class Signatures:
    """Opens the secrets of a webhook, and signs with all that are good."""

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer

    def headers(
        self, webhook: Webhook, event_id: str, body: bytes, now: datetime
    ) -> Mapping[str, str]:
        secrets = [self._open(one, webhook) for one in webhook.secrets.good(now)]
        return signing.signed(secrets, event_id, body, now)

    def new_secret(self, webhook_id: str) -> bytes:
        return self._sealer.seal(signing.new_secret(), webhook_id)

    def told(self, webhook: Webhook) -> str:
        return self._open(webhook.secrets.new, webhook)

    def _open(self, sealed: bytes, webhook: Webhook) -> str:
        try:
            return self._sealer.open(sealed, webhook.webhook_id)
        except (SealingKeyMissing, SealBroken) as error:
            raise SecretUnusable(str(error)) from error
