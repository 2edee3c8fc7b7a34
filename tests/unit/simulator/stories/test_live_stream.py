"""A stream that starts now sends no event before it has happened."""

from datetime import UTC, datetime, timedelta
from itertools import islice

import orjson
import pytest

from simulator.company import Company
from simulator.stories import StoryEvent, live_stream
from tests.support.simulated_account import the_company

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


@pytest.fixture(scope="module")
def company() -> Company:
    return the_company()


def sent_at(event: StoryEvent) -> datetime:
    return datetime.fromtimestamp(orjson.loads(event.body)["event_ts"] / 1000, UTC)


@pytest.mark.parametrize("rate_per_s", [0.0, 50.0, 200.0])
def test_the_last_event_of_a_counted_stream_happens_when_it_is_due(
    company: Company, rate_per_s: float
) -> None:
    stream = live_stream(company, seed=1, now=NOW, count=1500, rate_per_s=rate_per_s)
    sending = timedelta(seconds=1500 / rate_per_s if rate_per_s else 0)
    last = max(sent_at(event) for event in stream)
    assert abs(last - (NOW + sending)) < timedelta(seconds=1)


@pytest.mark.thorough
@pytest.mark.parametrize("rate_per_s", [20.0, 60.0])
def test_a_stream_without_end_keeps_step_with_the_clock(
    company: Company, rate_per_s: float
) -> None:
    stream = live_stream(company, seed=1, now=NOW, count=None, rate_per_s=rate_per_s)
    early = sent_at(next(islice(stream, 5_000, None)))
    late = sent_at(next(islice(stream, 20_000, None)))
    assert (late - early).total_seconds() == pytest.approx(20_000 / rate_per_s, rel=0.1)
    assert abs(late - NOW - timedelta(seconds=25_000 / rate_per_s)) < timedelta(minutes=3)
