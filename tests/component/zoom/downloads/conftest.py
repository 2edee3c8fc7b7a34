"""Downloads under test."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from tests.support.zoom_downloads import Rig


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    async with AsyncExitStack() as stack:
        yield Rig(stack)
