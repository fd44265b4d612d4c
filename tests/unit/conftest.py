"""What several unit tests share."""

from collections.abc import Iterator

import pytest

from holdfast.client import HoldfastSync
from tests.unit.test_client_network import NOWHERE


@pytest.fixture(scope="module")
def nobody() -> Iterator[HoldfastSync]:
    with HoldfastSync(NOWHERE, NOWHERE, deadline_s=0.5, retry_s=0) as client:
        yield client
