"""Callers at work: they order, repeat themselves, read and cancel, and keep what they are told."""

import asyncio
import random
import time
from collections.abc import Mapping

from holdfast.client import Holdfast, HoldfastError, InvalidRequest
from proof.chaos.callers import call
from proof.history import NOT_DONE, Facts, History
from proof.workload import Caller, Shop, Wanted

CALLERS = 6
SHOP = Shop(products=6, scarce=2, units=1_000, scarce_units=3)
MIX = {"CreateOrder": 60, "GetOrderDetails": 15, "GetStockInfo": 10, "UpdateStock": 8}
MIX |= {"CancelOrder": 7}

GIVES_UP = 0.2  # of the unknown outcomes: nobody asks again, and nobody ever knows
PAUSE_S_MAX = 0.02
TRY_AGAIN_S = 0.05


class Callers:
    """Some seeded callers, each with a client of its own that never repeats a call by itself.

    :param deadline_s: of every call.
    :param insist_s: how long a caller repeats a call whose outcome it does not know.
    """

    def __init__(
        self,
        addresses: Mapping[str, str],
        history: History,
        *,
        seed: str,
        deadline_s: float,
        insist_s: float,
    ) -> None:
        self._addresses = addresses
        self._history = history
        self._seed = seed
        self._deadline_s = deadline_s
        self._insist_s = insist_s
        self._ended = asyncio.Event()
        self._orders: dict[str, None] = {}  # in the order in which they were told of
        self.made = 0  # calls that came to an end

    async def open_shop(self) -> None:
        """Make the products and fill the shelves."""
        async with self._client() as client:
            made = [Wanted("CreateProduct", {"product_id": one}) for one in SHOP.product_ids]
            for wanted in (*made, *SHOP.supply()):
                answer = await self._ask(client, "shopkeeper", wanted, self._insist_s)
                assert answer, f"the shop does not open: {wanted} was refused"

    async def work(self) -> None:
        """Call until told to end; then each ends the call that it is at."""
        async with asyncio.TaskGroup() as group:
            for number in range(CALLERS):
                group.create_task(self._work(f"c-{number}"))

    def end(self) -> None:
        """Tell everybody to end."""
        self._ended.set()

    async def look_back(self) -> None:
        """Read every order that somebody was told of, and all stock."""
        orders = [Wanted("GetOrderDetails", {"order_id": order_id}) for order_id in self._orders]
        stock = [Wanted("GetStockInfo", {"product_id": one}) for one in SHOP.product_ids]
        async with self._client() as client:
            for wanted in (*orders, *stock):
                await self._ask(client, "auditor", wanted, self._insist_s)

    async def _work(self, name: str) -> None:
        chance = random.Random(f"{self._seed}/{name}/habits")
        caller = Caller(name, self._seed, SHOP, mix=MIX)
        async with self._client() as client:
            while not self._ended.is_set():
                insist_s = 0.0 if chance.random() < GIVES_UP else self._insist_s
                answer = await self._ask(client, name, caller.next(), insist_s)
                if answer and "order_id" in answer:
                    caller.told_of(answer["order_id"])
                    self._orders[answer["order_id"]] = None
                await asyncio.sleep(chance.uniform(0, PAUSE_S_MAX))

    async def _ask(
        self, client: Holdfast, name: str, wanted: Wanted, insist_s: float
    ) -> Facts | None:
        """Call, and again while the outcome is unknown; None: refused, or given up."""
        ends_at = time.monotonic() + insist_s
        while True:
            number = self._history.invoke(name, wanted.method, wanted.request)
            try:
                answer = await call(client, wanted)
            except InvalidRequest:
                raise  # nobody here asks nonsense
            except HoldfastError as error:
                self._history.refused(number, error.code)
                if error.code in NOT_DONE or time.monotonic() > ends_at:
                    return None
            else:
                self._history.ok(number, answer)
                return answer
            finally:
                self.made += 1
            await asyncio.sleep(TRY_AGAIN_S)

    def _client(self) -> Holdfast:
        addresses = self._addresses["orders"], self._addresses["inventory"]
        return Holdfast(*addresses, deadline_s=self._deadline_s, retry_s=0.0)
