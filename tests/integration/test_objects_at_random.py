"""Two customers and the staff do whatever comes to mind: nobody ever reads of another's order."""

import random
from collections.abc import Iterator, Mapping

import pytest
from google.protobuf.message import Message
from grpc import StatusCode, aio

from holdfast.contracts.orders.v1 import orders_pb2 as pb
from tests.integration.conftest import RunningHoldfast, create, line
from tests.integration.let_in import Metadata, let_in_by_name
from tests.integration.test_objects import (
    ABOUT_A_CUSTOMER,
    ABOUT_A_RETURN,
    ABOUT_AN_ORDER,
    ADA,
    BOB,
    METHODS,
    STAFF,
    ask,
)

WHO = {"c-ada": ADA, "c-bob": BOB, "": STAFF}
STEPS = 150


@pytest.fixture(autouse=True)
def _let_in(monkeypatch: pytest.MonkeyPatch) -> None:
    let_in_by_name(monkeypatch)


def said(message: Message) -> Iterator[tuple[str, str]]:
    """Every text in a message, however deep, with its field's name."""
    for field, value in message.ListFields():
        values = value if field.is_repeated else [value]
        for one in values:
            if isinstance(one, Message):
                yield from said(one)
            elif isinstance(one, str):
                yield field.name, one


class Crowd:
    """What was ordered and sent back, and by whom."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.owner: dict[str, str] = {}  # of orders and returns, by id
        self.returns: list[str] = []
        self.tokens: dict[str, str] = {}  # of pages, and for whom

    def request(self) -> tuple[str, Message]:
        """Something to ask, about anything of anybody's."""
        method = self.random.choice(sorted(METHODS))
        orders = sorted(self.owner.keys() - set(self.returns))
        customer_id = self.random.choice(sorted(WHO))
        if method in ABOUT_AN_ORDER and orders:
            requests = ABOUT_AN_ORDER[method](self.random.choice(orders))
        elif method in ABOUT_A_RETURN and self.returns:
            requests = ABOUT_A_RETURN[method](self.random.choice(self.returns))
        elif method in ABOUT_A_CUSTOMER and method != "EraseCustomer":
            requests = ABOUT_A_CUSTOMER[method](customer_id or "c-nobody")
        elif method in ("ListOrders", "SearchOrders"):
            token = self.random.choice(["", *self.tokens])
            size, product = self.random.randint(1, 3), self.random.choice(["", "LAMP"])
            kind = pb.ListOrdersRequest if method == "ListOrders" else pb.SearchOrdersRequest
            requests = [kind(page_size=size, page_token=token, product_id=product)]
        elif method == "BatchCreateOrders":
            requests = [pb.BatchCreateOrdersRequest(requests=[self.order(customer_id)] * 2)]
        else:
            order = self.order(customer_id)
            order.wait.seconds = 20
            method, requests = "CreateOrder", [order]
        return method, self.random.choice(requests)

    def order(self, customer_id: str) -> pb.CreateOrderRequest:
        request_id = f"req-{self.random.randint(1, 4)}"
        return create(line("LAMP"), customer_id=customer_id, request_id=request_id)

    def learn(self, who: str, request: Message, answer: Message) -> None:
        """Remember what there is now."""
        if isinstance(answer, pb.CreateOrderResponse):
            assert isinstance(request, pb.CreateOrderRequest)
            self.owner.setdefault(answer.order_id, who or request.customer_id)
        if isinstance(answer, pb.BatchCreateOrdersResponse):
            assert isinstance(request, pb.BatchCreateOrdersRequest)
            for one, result in zip(request.requests, answer.results, strict=True):
                if result.HasField("order"):
                    self.owner.setdefault(result.order.order_id, who or one.customer_id)
        if isinstance(answer, pb.Return):
            self.owner[answer.return_id] = self.owner[answer.order_id]
            self.returns = sorted({*self.returns, answer.return_id})
        if isinstance(answer, pb.ListOrdersResponse) and answer.next_page_token:
            self.tokens[answer.next_page_token] = who


def strange(owner: Mapping[str, str], who: str, answer: Message) -> list[tuple[str, str]]:
    """What a customer is told that is not theirs."""
    return [
        (name, text)
        for name, text in said(answer)
        if (name == "customer_id" and text != who)
        or (name in ("order_id", "return_id") and owner.get(text) != who)
    ]


async def outcome(
    holdfast: RunningHoldfast, method: str, request: Message, by: Metadata
) -> tuple[Message | None, aio.AioRpcError | None]:
    try:
        return await ask(holdfast, method, request, by), None
    except aio.AioRpcError as error:
        return None, error


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_no_answer_to_a_customer_has_anything_of_somebody_else_s(
    holdfast: RunningHoldfast, seed: int
) -> None:
    await holdfast.product("LAMP", 10_000)
    crowd, answered, foreign = Crowd(seed), 0, 0
    for step in range(STEPS):
        who = crowd.random.choice(sorted(WHO))
        method, request = crowd.request()
        named = {text for name, text in said(request) if name in ("order_id", "return_id")}
        is_foreign = bool(who) and any(crowd.owner[name] != who for name in named)
        answer, refused = await outcome(holdfast, method, request, WHO[who])
        if answer is not None:
            assert not is_foreign, (step, method, request, answer)
            crowd.learn(who, request, answer)
            answered += 1
            assert not who or strange(crowd.owner, who, answer) == [], (step, method, request)
        if refused:
            told = f"{refused.details()} {refused.trailing_metadata()}"
            others = {i for i, whose in crowd.owner.items() if who and whose != who} - named
            assert not any(one in told for one in others), (step, method, request, told)
        if refused and is_foreign:
            assert refused.code() == StatusCode.NOT_FOUND, (step, method, request, told)
            foreign += 1
    assert answered > STEPS // 4
    assert foreign > STEPS // 20, "and the steps that matter are among them"
