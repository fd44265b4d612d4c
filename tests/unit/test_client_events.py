"""Who follows a feed misses nothing, wherever they begin and whatever breaks."""

from contextlib import aclosing

import grpc

from holdfast.client import Holdfast
from holdfast.contracts.feeds.v1 import feeds_pb2
from tests.unit.test_client_network import Network, client, network

__all__ = ["client", "network"]  # fixtures


def page(next_cursor: str, *ids: str) -> feeds_pb2.ReadEventsResponse:
    events = [feeds_pb2.Event(id=id_, cursor=next_cursor) for id_ in ids]
    return feeds_pb2.ReadEventsResponse(events=events, next_cursor=next_cursor)


async def test_who_begins_at_the_end_misses_nothing_while_the_service_is_away(
    network: Network, client: Holdfast
) -> None:
    """ "latest" asked for again after an outage would be behind what happened meanwhile."""
    network.answer("ReadEvents", page("place-1"), grpc.StatusCode.UNAVAILABLE, page("place-2", "e"))

    async with aclosing(client.events.follow(after="latest")) as feed:
        assert (await anext(feed)).id == "e"

    asked = network.asked(feeds_pb2.ReadEventsRequest)
    assert [one.cursor for one in asked] == ["latest", "place-1", "place-1"]
    assert [one.wait.seconds for one in asked] == [0, 30, 30], "the place is told at once"
