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
