"""A description that contradicts itself is refused."""

import pytest

from runtime.component import Component


def test_a_poller_has_no_retry_delays() -> None:
    with pytest.raises(ValueError, match="walks: a poller is a processor without retry delays"):
        Component(name="walks", kind="processor", run="", polls=True, retry_delays_s=(30,))


def test_a_sink_is_no_poller() -> None:
    with pytest.raises(ValueError, match="walks: a poller is a processor"):
        Component(name="walks", kind="sink", run="", polls=True)
