"""The console beside a running Holdfast, and browsers of people who have keys."""

from collections.abc import AsyncIterator

import pytest

from testbed.keys import KEY
from tests.integration.conftest import ANYWHERE, Ground, running
from tests.integration.console.people import Shop


@pytest.fixture
async def shop(ground: Ground) -> AsyncIterator[Shop]:
    async with running(ground, http_at=ANYWHERE) as holdfast, Shop(holdfast) as found:
        await found.sign_in(KEY)
        yield found
