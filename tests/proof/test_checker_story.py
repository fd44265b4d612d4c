"""What the checker says of real databases: nothing of sound ones, and each damage by name."""

from proof.checker import check
from tests.contract import conftest as contract
from tests.integration import two_services
from tests.integration.two_services import TwoServices
from tests.proof.story import Story, everything

engine, clock = contract.engine, contract.clock
new_database = contract.new_database
shop, urls = two_services.shop, two_services.urls


async def test_a_run_in_which_everything_happened_keeps_every_promise(shop: TwoServices) -> None:
    story = Story(shop)

    ids = await everything(story)

    evidence = await story.evidence()
    assert check(evidence) == []
    states = {name: evidence.facts.reservations[key].state for name, key in ids.items()}
    assert states == {
        "CONFIRMED": "RESERVED",
        "REJECTED": "REFUSED",
        "RELEASED": "RELEASED",
        "TOMBSTONE": "TOMBSTONE",
        "EXPIRED": "TOMBSTONE",
        "LATE": "RESERVED",
    }
