"""Partners at the far end of webhooks: each checks what it is sent, fails as it likes, and is held
against the feeds in the end: nothing left out, nothing made up, everything in its order.
"""

import asyncio
import hmac
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import count
from random import Random

import orjson

from holdfast.contracts.notifier.v1 import notifier_pb2
from holdfast.notifier.domain.delivery import Answer, UrlRefused
from proof.simulation.fault_rates import PARTNERS_FAIL, FaultRates
from proof.simulation.loop import SimulatedLoop
from proof.simulation.network import OK, Network
from proof.snapshot import Feed, ObservedEvent

EVERYTHING = notifier_pb2.Place(orders="earliest", inventory="earliest")
CREATE = "/holdfast.notifier.v1.NotifierService/CreateWebhook"
ANSWER_S_MAX = 5.0  # so long the Notifier waits for a partner
CREATED_S_MAX = 10.0
AGAIN_S = 0.3
AWAY = 0.1  # of the failures: the partner is away for a while
AWAY_S_MAX = 20.0
REST_S_MAX = 150.0  # from everybody's rest until everything has arrived: the schedule's last pauses

_turns = count()


@dataclass
class Partner:
    """One receiver, and what arrived there.

    :param types: of the events that it wants; none: all.
    :param secret: "" until it is told of it: what comes sooner it can't check.
    :param misses: it is to be sent all that the feeds have, too.
    :param heads: how long the feeds were when its webhook was made: what comes later it is told.
    :param arrived: by event id, the turn of the first arrival, and the bytes that came then.
    :param taken: by event id, the turn at which it first said that it has it.
    """

    url: str
    types: tuple[str, ...]
    in_order: bool
    misses: bool = False
    secret: str = ""
    heads: Mapping[str, int] = field(default_factory=dict)
    arrived: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    taken: dict[str, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    away_until_s: float = 0.0

    def receive(self, headers: Mapping[str, str], body: bytes, *, fails: bool) -> int:
        """Look at what came, and answer with a status."""
        event_id = headers["webhook-id"]
        if orjson.loads(body)["id"] != event_id:
            self.problems.append(f"the body of {event_id} is of another event")
        signed = f"{event_id}.{headers['webhook-timestamp']}.".encode() + body
        digest = hmac.digest(b64decode(self.secret.removeprefix("whsec_")), signed, sha256)
        if self.secret and headers["webhook-signature"] != f"v1,{b64encode(digest).decode()}":
            self.problems.append(f"{event_id} is not signed by its secret")
        turn = next(_turns)
        if self.arrived.setdefault(event_id, (turn, body))[1] != body:
            self.problems.append(f"{event_id} came again as other bytes")
        if fails:
            return 503
        self.taken.setdefault(event_id, turn)
        return 204

    def missing(self, feeds: Mapping[str, Feed]) -> int:
        """How many events it has still to be told of."""
        return sum(event.event_id not in self.taken for event in self._wanted(feeds))

    def _wanted(self, feeds: Mapping[str, Feed]) -> Iterator[ObservedEvent]:
        for name, feed in feeds.items():
            for position, event in feed.entries:
                if position > (0 if self.misses else self.heads[name]) and (
                    not self.types or event.type.rpartition(".")[2] in self.types
                ):
                    yield event

    def violations(self, feeds: Mapping[str, Feed]) -> Iterator[str]:
        """What is wrong with what came, whatever has still to come."""
        yield from (f"told: {self.url}: {problem}" for problem in self.problems)
        for name, feed in feeds.items():
            yield from self._overtaken(name, feed)

    def _overtaken(self, name: str, feed: Feed) -> Iterator[str]:
        """Nothing arrives before what comes before it in its line was taken."""
        last: dict[str, ObservedEvent] = {}
        for _, event in feed.entries:
            if event.event_id not in self.arrived:
                continue
            before = last.get("" if self.in_order else event.subject)
            last["" if self.in_order else event.subject] = event
            if before is None:
                continue
            turn, _ = self.arrived[event.event_id]
            if self.taken.get(before.event_id, turn) >= turn:
                yield (
                    f"told: {self.url} got {event.type} of {event.subject} before it had taken"
                    f" {before.type} of {before.subject}, which stands before it in {name}"
                )


class Partners:
    """All of them, and the way there: see `Sender` of the Notifier."""

    def __init__(
        self, loop: SimulatedLoop, network: Network, fault_rates: FaultRates, chance: Random
    ) -> None:
        self._loop, self._network = loop, network
        self._fault_rates, self._chance = fault_rates, chance
        self._partners: dict[str, Partner] = {}

    async def require_allowed(self, url: str) -> None:
        if url not in self._partners:
            raise UrlRefused(url)

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        partner, status = self._partners[url], self._loop.create_future()

        def arrive() -> None:
            code = partner.receive(headers, body, fails=self._fails(partner))
            if not self._fault_rates.strikes("reply dropped"):
                self._loop.outside(self._fault_rates.network_wait_s(), answer, code)

        def answer(code: int) -> None:
            if not status.done():
                status.set_result(code)

        if not self._fault_rates.strikes("request dropped"):
            self._loop.outside(self._fault_rates.network_wait_s(), arrive)
        try:
            async with asyncio.timeout(ANSWER_S_MAX):
                return Answer(await status)
        except TimeoutError:
            return Answer(0, "there was no answer in time")

    def _fails(self, partner: Partner) -> bool:
        now = self._loop.time()
        if self._fault_rates.strikes(PARTNERS_FAIL):
            if self._chance.random() < AWAY:
                partner.away_until_s = now + self._chance.random() * AWAY_S_MAX
            return True
        return now < partner.away_until_s

    async def join(self, partner: Partner) -> bytes:
        """Make a webhook for a partner; again, until that is answered. Return the answer."""
        self._partners[partner.url] = partner
        request = notifier_pb2.CreateWebhookRequest(
            url=partner.url,
            types=partner.types,
            in_order=partner.in_order,
            request_id=partner.url,
            after=EVERYTHING if partner.misses else None,
        )
        body = request.SerializeToString()
        while True:
            reply = await self._network.call("notifier", CREATE, body, timeout_s=CREATED_S_MAX)
            if reply.code is OK:
                partner.secret = notifier_pb2.WebhookSecret.FromString(reply.body).secret
                return reply.body
            await asyncio.sleep(AGAIN_S)

    async def missing(self, feeds: Mapping[str, Feed]) -> list[str]:
        """Wait until all have been told of everything, for a while; return who was not."""
        ends_at = self._loop.time() + REST_S_MAX
        while missing := {url: one.missing(feeds) for url, one in self._partners.items()}:
            if not any(missing.values()) or self._loop.time() > ends_at:
                break
            await asyncio.sleep(AGAIN_S)
        return [f"told: {url} was not told of {of} events" for url, of in missing.items() if of]

    def arrived(self) -> dict[str, set[str]]:
        """The ids of the events that have come by now, by the partner's url."""
        return {url: set(one.arrived) for url, one in self._partners.items()}

    def violations(self, feeds: Mapping[str, Feed]) -> list[str]:
        """What is wrong with what came, but for what is in no feed."""
        return [told for one in self._partners.values() for told in one.violations(feeds)]


def made_up(arrived: Mapping[str, set[str]], feeds: Mapping[str, Feed]) -> list[str]:
    """What partners got and no feed has; the feeds still have all that ever was in them."""
    known = {event.event_id for feed in feeds.values() for _, event in feed.entries}
    return [
        f"told: {url} got what is in no feed: {strange[:3]}"
        for url, ids in arrived.items()
        if (strange := sorted(ids - known))
    ]
