"""Why a call is not let in, as its caller may know it: never what the secret was, or nearly was."""


class Unauthenticated(Exception):
    """Who calls is not known: UNAUTHENTICATED, 401.

    :param reason: a fixed word for the caller's program, the metric and the audit log, such as
        NO_CREDENTIAL, KEY_UNKNOWN or TOKEN_EXPIRED.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class Forbidden(Exception):
    """Who calls is known, and may not do this: PERMISSION_DENIED, 403.

    :param scope: what the caller would need.
    """

    def __init__(self, scope: str, message: str) -> None:
        super().__init__(message)
        self.scope = scope


class IdentityUnavailable(Exception):
    """Who calls can't be found out now: UNAVAILABLE, 503. Closed, not open."""


class KeyNotFound(Exception):
    """There is no key of this id: NOT_FOUND, 404."""

    def __init__(self, key_id: str) -> None:
        super().__init__(f"there is no key {key_id}")
        self.key_id = key_id


class KeyOfUser(Exception):
    """The key is one of a user, who signs in for another: FAILED_PRECONDITION, 409."""

    def __init__(self, user: str) -> None:
        super().__init__(f"the key is one by which {user} signed in: they do so again for another")


class NotAUser(Exception):
    """Who calls did not sign in by a password: FAILED_PRECONDITION, 409."""

    def __init__(self) -> None:
        super().__init__("you did not sign in by a name and a password, but by a key or a token")


class SignInOff(Exception):
    """Nobody is asked who they are: FAILED_PRECONDITION, 409."""

    def __init__(self) -> None:
        super().__init__("nobody is asked here who they are, so that nobody need sign in")


class UserNotFound(Exception):
    """There is no user of this name: NOT_FOUND, 404."""

    def __init__(self, name: str) -> None:
        super().__init__(f"there is no user {name}")
        self.name = name


class UserExists(Exception):
    """There is a user of this name: ALREADY_EXISTS, 409."""

    def __init__(self, name: str) -> None:
        super().__init__(f"there is a user {name} already; nothing was changed")


class KeyEnded(Exception):
    """The key was revoked or has expired, so that none can follow it: FAILED_PRECONDITION, 409."""

    def __init__(self, key_id: str) -> None:
        super().__init__(f"key {key_id} was revoked or has expired: make a new one")
