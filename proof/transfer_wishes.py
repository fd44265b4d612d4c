"""What callers want of transfers: that units leave for another location, come, and are given up.

A caller receives and closes what it sent. Some of it is asked for again on purpose, some with other
contents under the same id, and some is more than there is.
"""

from collections.abc import Sequence
from random import Random

from proof.goods_wishes import LOCATIONS
from proof.history import Facts

TRANSFERS = ("CreateTransfer", "ReceiveTransfer", "CloseTransfer", "GetTransfer")
REPEATED, CONTRADICTED = 0.15, 0.05  # of what is sent or comes
REST = 0.3  # of what comes: all that is still to come, unnamed
BEYOND = 0.05  # of the quantities that come are more than there is
PRODUCTS_MAX, UNITS_MAX = 2, 3
REMEMBERED_MAX = 100


class TransferWishes:
    """One caller's wishes about transfers.

    :param chance: the caller's.
    """

    def __init__(self, name: str, chance: Random, product_ids: Sequence[str]) -> None:
        self._name, self._chance, self._product_ids = name, chance, product_ids
        self._seen: dict[str, Facts] = {}  # as last seen, by id
        self._asked: dict[str, list[Facts]] = {"CreateTransfer": [], "ReceiveTransfer": []}
        self._numbers = 0

    def told_of(self, answer: Facts) -> None:
        """An answer showed a transfer."""
        self._seen.pop(answer["transfer_id"], None)
        self._seen[answer["transfer_id"]] = answer
        if len(self._seen) > REMEMBERED_MAX:
            del self._seen[next(iter(self._seen))]

    def next(self, method: str) -> tuple[str, Facts]:
        """What to ask for by this method; where nothing was sent yet, something is sent."""
        if not self._seen:
            method = "CreateTransfer"
        if method not in self._asked:
            return method, {"transfer_id": self._chance.choice(list(self._seen))}
        asked, dice = self._asked[method], self._chance.random()
        if asked and dice < REPEATED:
            return method, self._chance.choice(asked)
        wanted = self._sending() if method == "CreateTransfer" else self._receipt()
        if asked and dice < REPEATED + CONTRADICTED:
            before = self._chance.choice(asked)
            ids = {key: before[key] for key in ("transfer_id", "request_id") if key in before}
            return method, {**wanted, **ids}
        asked.append(wanted)
        del asked[:-REMEMBERED_MAX]
        return method, wanted

    def _sending(self) -> Facts:
        chance = self._chance
        origin, target = chance.sample(LOCATIONS, 2)
        most = min(PRODUCTS_MAX, len(self._product_ids))
        some = chance.sample(self._product_ids, chance.randint(1, most))
        units = [[product_id, chance.randint(1, UNITS_MAX)] for product_id in sorted(some)]
        return {"request_id": self._id("sent"), "origin": origin, "target": target, "units": units}

    def _receipt(self) -> Facts:
        chance = self._chance
        seen = self._seen[chance.choice(list(self._seen))]
        coming = [(name, sent - came - gone) for name, sent, came, gone in seen["units"]]
        units = [
            [name, most + 1 if chance.random() < BEYOND else chance.randint(1, most)]
            for name, most in coming
            if most
        ]
        if chance.random() < REST:
            units = []
        ids = {"transfer_id": seen["transfer_id"], "request_id": self._id("came")}
        return {**ids, "units": units}

    def _id(self, what: str) -> str:
        self._numbers += 1
        return f"{self._name}-{what}-{self._numbers}"
