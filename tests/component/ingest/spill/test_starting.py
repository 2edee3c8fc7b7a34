"""How the spill of a process starts, and which settings it refuses."""

from pathlib import Path

import pytest

from ingest.spill.service import spilling
from ingest.spill.settings import SpillSettings
from ingest.spill.store import SegmentStore
from runtime.clock import SystemClock
from runtime.errors import ConfigurationError, TransientError
from tests.support.spill import (
    Broker,
    FailingStore,
    Outcomes,
    record,
    running,
    running_with_failing_store,
    until,
)


async def test_a_store_that_refuses_at_the_start_is_the_operators_fault(tmp_path: Path) -> None:
    def refusing(store: SegmentStore) -> SegmentStore:
        troubled_store = FailingStore(store)
        troubled_store.error = ConfigurationError("ZCC_SPILL_URL: no")
        return troubled_store

    with pytest.raises(ConfigurationError, match="ZCC_SPILL_URL"):
        async with running(tmp_path, Broker(), waiting=refusing):
            pass


async def test_a_store_that_does_not_answer_at_the_start_is_waited_for(tmp_path: Path) -> None:
    made: list[FailingStore] = []

    def silent(store: SegmentStore) -> SegmentStore:
        made.append(FailingStore(store))
        made[0].error = TransientError("no answer")
        return made[0]

    async with running(tmp_path, Broker(), waiting=silent) as spill:
        assert not spill.ready
        made[0].error = None
        await until(lambda: spill.ready)


async def test_a_store_that_cannot_be_written_is_still_drained(tmp_path: Path) -> None:
    broker = Broker(ready=False)
    async with running_with_failing_store(tmp_path, broker) as (spill, store):
        outcomes = Outcomes(spill)
        outcomes.store(record("1"))
        await outcomes.all_settled(1)
        store.error = TransientError("no room")
        outcomes.store(record("2"))
        await outcomes.all_settled(2)
        broker.ready = True
        await until(lambda: broker.values == [b"1"])


async def test_settings_without_a_place_make_no_spill() -> None:
    async with spilling(
        SpillSettings(url=""),
        instance="pod-0",
        produce_deadline_s=2.9,
        publisher=Broker(),
        clock=SystemClock(),
    ) as spill:
        assert spill is None


async def test_settings_with_a_place_make_a_spill_that_keeps(tmp_path: Path) -> None:
    async with spilling(
        SpillSettings(url=f"file://{tmp_path}"),
        instance="pod-0",
        produce_deadline_s=2.0,
        publisher=Broker(),
        clock=SystemClock(),
    ) as spill:
        assert spill is not None
        assert spill.ready


async def test_deadlines_that_zoom_would_not_wait_for_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="ZCC_SPILL_DEADLINE_S"):
        async with spilling(
            SpillSettings(url=f"file://{tmp_path}"),
            instance="pod-0",
            produce_deadline_s=2.5,
            publisher=Broker(),
            clock=SystemClock(),
        ):
            pass
