"""What callers want of customers: to be known, to see what is kept of them, and to be forgotten."""

from random import Random

from proof.history import Facts

CUSTOMERS = ("UpdateCustomer", "GetCustomer", "ListCustomers", "ExportCustomer", "EraseCustomer")
FRIEND = 0.5  # of the calls are about somebody who never orders
FORGOTTEN = 0.2  # of the erasures are of who goes on ordering
BY_EMAIL = 0.3  # of the erasures
FORCED = 0.7  # of the erasures happen also while orders are open
EXPORTED_MAX = 60  # orders: an export of many takes long


class CustomerWishes:
    """One caller's wishes about the customer that it is, and about a friend of its.

    :param name: the customer's id.
    :param chance: the caller's.
    """

    def __init__(self, name: str, chance: Random) -> None:
        self._name, self._chance = name, chance
        self._versions: dict[str, int] = {}  # of profiles, as last seen
        self._numbers = 0

    def told_of(self, answer: Facts) -> None:
        """An answer may show profiles."""
        for customer_id, version in answer.get("customers", ()):
            self._versions[customer_id] = version

    def next(self, method: str, orders: int) -> tuple[str, Facts]:
        """What to ask for, and by which method.

        :param orders: that the caller has by now.
        """
        chance = self._chance
        who = f"{self._name}-friend" if chance.random() < FRIEND else self._name
        match method:
            case "UpdateCustomer":
                self._numbers += 1
                asked: Facts = {"customer_id": who, "version": self._versions.get(who, 0)}
                return method, {**asked, "name": f"{who} {self._numbers}", "email": email_of(who)}
            case "ListCustomers":
                return method, {}
            case "ExportCustomer" if orders <= EXPORTED_MAX:
                return method, {"customer_id": self._name}
            case "EraseCustomer":
                mine = chance.random() < FORGOTTEN
                who = self._name if mine else f"{self._name}-friend"
                force = chance.random() < FORCED
                if chance.random() < BY_EMAIL:
                    return method, {"email": email_of(who), "force": force}
                return method, {"customer_id": who, "force": force}
        return "GetCustomer", {"customer_id": who}


def email_of(customer_id: str) -> str:
    """The one address that a customer ever has."""
    return f"{customer_id}@example.com"
