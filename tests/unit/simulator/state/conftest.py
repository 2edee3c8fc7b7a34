"""What several tests of the state start from."""

import pytest

from tests.support.simulated_account import SimulatedAccount


@pytest.fixture
def account() -> SimulatedAccount:
    """Nothing has happened to it yet; the details of an engagement come 10 s after its end."""
    return SimulatedAccount(details_delay_s=10.0)
