"""What may be set of who is let in."""

from pydantic import BaseModel, Field, SecretStr, field_validator

from holdfast.chassis.identity import keys
from holdfast.chassis.identity.issuers import Issuers
from holdfast.chassis.process.addresses import is_loopback, split


class IdentitySettings(BaseModel):
    """Who is let in; both services are told the same.

    :param auth: ask callers who they are; false, for a machine of one's own, is refused on any
        address but a loopback one.
    :param pepper: a secret that goes into what is kept of keys, 32 characters or more: whoever
        steals the table alone can't even check a key. With another one, no key is good any more.
    :param issuers: whose tokens are good, beside keys.
    :param service_key: a secret by which Orders is known to Inventory, 32 characters or more.
    """

    auth: bool = True
    issuers: Issuers = ()
    pepper: SecretStr = SecretStr("")
    service_key: SecretStr = SecretStr("")

    @field_validator("pepper", "service_key")
    @classmethod
    def _long_enough(cls, value: SecretStr) -> SecretStr:
        text = value.get_secret_value()
        if text and len(text) < 32:
            raise ValueError("has less than 32 characters: try `openssl rand -hex 32`")
        return value


class OperatorSettings(BaseModel):
    """The first key.

    :param operator_key: a key that may do everything, as `holdfast key new` makes it; it is added
        at the start unless it is there, and can be revoked like any.
    """

    operator_key: SecretStr = Field(default=SecretStr(""))

    @field_validator("operator_key")
    @classmethod
    def _is_key(cls, value: SecretStr) -> SecretStr:
        text = value.get_secret_value()
        if text and keys.read(text) is None:
            raise ValueError("is no key, or mistyped: make one with `holdfast key new`")
        return value


def require_sound(settings: IdentitySettings, *addresses: str) -> None:
    """See that nobody from elsewhere is let in unasked.

    :param addresses: where the service listens; "" is nowhere.
    :raises ValueError: they would be; or Orders could not be known to Inventory.
    """
    if settings.auth:
        if not settings.service_key.get_secret_value():
            raise ValueError(
                "service_key is missing: the secret by which Orders is known to Inventory, the "
                "same for both, such as `openssl rand -hex 32` makes"
            )
        return
    far = [address for address in addresses if address and not is_loopback(split(address)[0])]
    if far:
        raise ValueError(
            f"auth is off, and {far[0]} is no loopback address: anybody could do anything"
        )
