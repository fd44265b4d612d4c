"""The profile of a customer: what is known without an order, until it is erased."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from unicodedata import normalize

from holdfast.orders.domain.customers.customer import NOBODY, Customer
from holdfast.orders.domain.customers.errors import CustomerErased, StaleProfile


@dataclass(frozen=True, slots=True)
class Profile:
    """Who a customer is. Version 0: nothing was ever recorded, and no time is known.

    :param erased_at: when the customer was last erased; an erased profile is empty for ever.
    """

    customer_id: str
    version: int = 0
    customer: Customer = NOBODY
    created_at: datetime | None = None
    updated_at: datetime | None = None
    erased_at: datetime | None = None

    @property
    def folded_name(self) -> str:
        """The name as it is looked for."""
        return folded(self.customer.name)

    def revised(
        self, details: Mapping[str, str], expected_version: int, at: datetime
    ) -> "Profile | None":
        """Take new values for some fields. None: it was made with these already.

        :param expected_version: as last read; 0 makes the profile.
        :raises CustomerErased: what was erased does not come back.
        :raises StaleProfile: it has another version.
        """
        if self.erased_at is not None:
            raise CustomerErased(f"customer {self.customer_id}")
        if expected_version == 0 < self.version and self.customer == NOBODY.revised(details):
            return None
        if expected_version != self.version:
            raise StaleProfile(self.customer_id, current=self.version)
        return self._next(self.customer.revised(details), at)

    def erased(self, at: datetime) -> "Profile":
        """Be empty; versions read before are stale, so that nothing comes back by them."""
        return replace(self._next(NOBODY, at), erased_at=at)

    def _next(self, customer: Customer, at: datetime) -> "Profile":
        return replace(
            self,
            version=self.version + 1,
            customer=customer,
            created_at=self.created_at or at,
            updated_at=at,
        )


def folded(name: str) -> str:
    """A name without what people don't look at when they look for it: the case and width of its
    letters, how accents are composed, and how many spaces there are (NFKC, default case folding).
    """
    return " ".join(normalize("NFKC", normalize("NFKC", name).casefold()).split())
