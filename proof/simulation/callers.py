"""Callers in a simulation: they make the seeded calls, and write down what they were told."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from random import Random

import grpc

from holdfast.contracts.orders.v1 import orders_pb2
from proof.history import NOT_DONE, Facts, History
from proof.simulation.fault_rates import FaultRates
from proof.simulation.methods import METHODS, ORDERS, order_request, state_of
from proof.simulation.network import Network, Reply
from proof.workload import Caller, Wanted

TRIES_MAX = 4
ANSWER_S_MAX = 6.0
_CODES = {code.value[0]: code for code in grpc.StatusCode}


class SimulatedCaller:
    """One caller, who makes one call after the other.

    :param wait_s: CreateOrder is asked to wait for the outcome for so long.
    """

    def __init__(
        self,
        caller: Caller,
        network: Network,
        history: History,
        fault_rates: FaultRates,
        chance: Random,
        tell: Callable[[str, str], None],
        *,
        wait_s: float = 0.0,
    ) -> None:
        self._caller, self._network, self._history = caller, network, history
        self._fault_rates, self._chance, self._tell, self._wait_s = (
            fault_rates,
            chance,
            tell,
            wait_s,
        )
        self._is_punctual = chance.random() < 0.5
        self._forgotten: list[asyncio.Future[Reply]] = []

    async def run(self, calls: int, pause_s: float, *, burst: int, batch: int) -> None:
        """Make so many calls, one every `pause_s` on average: `burst` at a time, when all do.

        :param batch: so many orders at most are placed in one call.
        """
        wishes: deque[Wanted] = deque()
        for number in range(calls):
            if not number % burst:
                await asyncio.sleep(self._until_next(pause_s * burst))
            wishes = wishes or deque(self._caller.next() for _ in range(batch))
            together = [one for one in wishes if one.method == "CreateOrder"]
            if len(together) > 1:
                wishes = deque(one for one in wishes if one.method != "CreateOrder")
                await self._place_all(together)
            else:
                await self.insist(wishes.popleft(), TRIES_MAX)

    def _until_next(self, period_s: float) -> float:
        """How long it is to the next moment at which all callers begin, or to any moment."""
        now = asyncio.get_running_loop().time()
        return (
            period_s - now % period_s if self._is_punctual else self._chance.random() * 2 * period_s
        )

    async def _place_all(self, wanted: Sequence[Wanted]) -> None:
        """Place orders in one call; insist on those whose outcome is unknown."""
        numbers = [self._begin(one) for one in wanted]
        requests = [order_request(one.request) for one in wanted]
        reply = await self._network.call(
            "orders",
            ORDERS + "BatchCreateOrders",
            orders_pb2.BatchCreateOrdersRequest(requests=requests).SerializeToString(),
            timeout_s=ANSWER_S_MAX,
        )
        results = orders_pb2.BatchCreateOrdersResponse.FromString(reply.body).results
        for index, (one, number) in enumerate(zip(wanted, numbers, strict=True)):
            if reply.code is not grpc.StatusCode.OK:
                code = self._refused(number, reply.code, reply.details)
            elif results[index].HasField("error"):
                error = results[index].error
                code = self._refused(number, _CODES[error.code], error.message)
            else:
                code = self._answered(number, state_of(results[index].order))
            if code != "OK" and code not in NOT_DONE:
                await self.insist(one, TRIES_MAX)

    async def insist(self, wanted: Wanted, tries_max: int) -> bool:
        """Make one call, again while its outcome is unknown; return whether it is ok."""
        for tries in range(tries_max):
            code = await self.call(wanted)
            if code == "OK" or code in NOT_DONE:
                return code == "OK"
            await asyncio.sleep(self._chance.uniform(0.5, 1.5) * 0.1 * 2**tries)
        return False

    async def call(self, wanted: Wanted) -> str:
        """Make one call, write down how it ended, and return its code."""
        method = METHODS[wanted.method]
        request = method.write(wanted.request)
        if wanted.method == "CreateOrder" and self._wait_s:
            request.wait.FromMilliseconds(round(self._wait_s * 1_000))
        body, deadline_s = request.SerializeToString(), wanted.deadline_s or ANSWER_S_MAX
        if self._fault_rates.strikes("call doubled"):
            self._begin(wanted)
            lost = self._network.call(method.service, method.path, body, timeout_s=deadline_s)
            self._forgotten.append(asyncio.ensure_future(lost))
        number = self._begin(wanted)
        reply = await self._network.call(method.service, method.path, body, timeout_s=deadline_s)
        if reply.code is not grpc.StatusCode.OK:
            return self._refused(number, reply.code, reply.details)
        return self._answered(number, method.read(reply.body))

    def _refused(self, number: int, code: grpc.StatusCode, details: str) -> str:
        self._history.refused(number, code.name)
        self._tell(self._caller.name, f"#{number} {code.name} {details}")
        return code.name

    def _answered(self, number: int, value: Facts) -> str:
        self._history.ok(number, value)
        self._tell(self._caller.name, f"#{number} OK {value}")
        self._caller.told_of(value)
        return "OK"

    def _begin(self, wanted: Wanted) -> int:
        number = self._history.invoke(self._caller.name, wanted.method, wanted.request)
        self._tell(self._caller.name, f"#{number} {wanted.method} {wanted.request}")
        return number
