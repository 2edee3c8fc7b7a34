"""The implementations that each test of the ports runs on, and their topics."""

import pytest

from tests.support.kafka_ports import FakeKafka, Kafka, RealKafka


@pytest.fixture(params=["fake", "real"])
def kafka(request: pytest.FixtureRequest) -> Kafka:
    if request.param == "fake":
        return FakeKafka()
    return RealKafka(request.getfixturevalue("kafka_settings"))


@pytest.fixture
async def topic(kafka: Kafka) -> str:
    """A topic of one partition, empty."""
    await kafka.create_topic(f"{kafka.prefix}.one.v1", 1)
    return f"{kafka.prefix}.one.v1"


@pytest.fixture
async def wide_topic(kafka: Kafka) -> str:
    """A topic of four partitions, empty."""
    await kafka.create_topic(f"{kafka.prefix}.four.v1", 4)
    return f"{kafka.prefix}.four.v1"
