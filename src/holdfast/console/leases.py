"""A session's credential that a provider granted: it ends soon, and is renewed while it can be."""

from holdfast.console.provider import Granted, Provider
from holdfast.console.sessions import NotSignedIn, ProviderAway, Tell

RENEW_S = 30.0  # before its end, or half of its life where that is less
AGAIN_S = 5.0  # between two tries while the provider is away


class ProviderLease:
    """The access token, or the ID token where services take that; see `sessions.Lease`.

    :param by_id_token: the latter.
    """

    def __init__(
        self, provider: Provider, granted: Granted, tell_s: Tell, *, by_id_token: bool
    ) -> None:
        self._provider, self._tell_s, self._by_id_token = provider, tell_s, by_id_token
        self._hint = "" if by_id_token else granted.id_token
        self._failed: tuple[float, ProviderAway] | None = None
        self._take(granted)

    @property
    def token(self) -> str:
        return self._granted.id_token if self._by_id_token else self._granted.access_token

    def is_due(self) -> bool:
        """Without a refresh token it never is: the session ends with its credential."""
        life_s = self._granted.life_s
        is_late = self._tell_s() >= self._ends_s - min(RENEW_S, life_s / 2)
        return bool(self._granted.refresh_token) and is_late

    def is_over(self) -> bool:
        return self._tell_s() >= self._ends_s

    async def renew(self) -> None:
        """:raises ProviderAway: not now. :raises NotSignedIn: no more."""
        if self._failed is not None and self._tell_s() - self._failed[0] < AGAIN_S:
            raise self._failed[1]
        try:
            granted = await self._provider.renew(self._granted)
        except ProviderAway as away:
            self._failed = self._tell_s(), away
            raise
        self._take(granted)
        if not self.token:
            raise NotSignedIn("sign.unsound", 502, provider=self._provider.name, why="no ID token")

    def way_out(self, back_to: str) -> str:
        """A credential does not go into an address: of an ID token that is one, nothing is said."""
        return self._provider.way_out(back_to, self._hint)

    def _take(self, granted: Granted) -> None:
        self._granted, self._failed = granted, None
        self._ends_s = self._tell_s() + granted.life_s
