"""Poisoned topics on the real broker: the others go on, and a restart adds no dead letters."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager

import pytest

from operations.dead_letters.audit import AuditLine, record_of
from runtime.clock import SystemClock
from runtime.errors import RejectedError, TooManyDeadLettersError
from runtime.kafka import KafkaPublisher
from runtime.service import run_handler, run_sink
from runtime.settings import KafkaSettings, WorkerSettings
from runtime.values import Delivery, Record
from schemas.headers import failed_at_header, origin_header, text, worker_header
from schemas.reasons import DeadLetterReason
from tests.support.components import component_of
from tests.support.fakes.sinks import RecordingSink
from tests.support.kafka_records import publish_once, records_of
from tests.support.services import Probed, create_topics, ends_with, probed, produce


def settings_of(port: int) -> WorkerSettings:
    return WorkerSettings(
        health_host="127.0.0.1",
        health_port=port,
        commit_interval_s=0.1,
        session_timeout_s=6,
        guard_records=20,
        guard_rejected_share=0.5,
        batch_records=8,
        batch_age_s=0.05,
    )


@pytest.mark.parametrize("planned", [False, True])
async def test_one_poisoned_topic_is_paused_and_a_restart_adds_no_dead_letters(
    kafka_settings: KafkaSettings, unused_tcp_port: int, *, planned: bool
) -> None:
    kafka, port = kafka_settings, unused_tcp_port
    poisoned, fine, dead, audit = await create_topics(
        kafka, "poisoned", "fine", "dead-letter.test", "dead-letter-audit"
    )
    await produce(kafka, poisoned, [b"before", *(b"bad %d" % n for n in range(40))])
    sink, mended = RecordingSink(planned=planned), False
    sink.refuses = lambda each: (each.value or b"").startswith(b"bad") and not mended

    def running() -> AbstractAsyncContextManager[Probed]:
        work = run_sink(
            sink, component_of("test", (poisoned, fine)), kafka=kafka, worker=settings_of(port)
        )
        return probed(work, port)

    for start in range(3):
        async with running() as worker:
            await worker.until_readyz(
                200, "ok", f"paused {poisoned}/0: test would write too many dead letters"
            )
            await produce(kafka, fine, [b"fine %d" % start])
            while b"fine %d" % start not in sink.values:
                assert (await worker.ask("/readyz"))[0] == 200
            assert await worker.figure("zcc_worker_paused_partitions") == 1
            assert await worker.figure("zcc_worker_halted") == 0
        letters = await records_of(kafka, [dead])
        assert [letter.value for letter in letters] == [b"bad %d" % n for n in range(10)]

    # A person who has dealt with the letters makes room for as many again.
    async with KafkaPublisher(kafka, client_id="test", clock=SystemClock()) as publisher:
        assert await publisher.reached(within_s=30)
        for letter in letters:
            await publish_once(publisher, record_of(line_of(letter), topic=audit))
    async with running() as worker:
        await worker.until_readyz(200, f"paused {poisoned}/0", "bad")
    assert len(await records_of(kafka, [dead])) == 20

    mended = True
    async with running() as worker:
        while b"bad 39" not in sink.values:
            await worker.ask("/readyz")
        assert await worker.ask("/readyz") == (200, "ok\n")
    assert len(await records_of(kafka, [dead])) == 20
    bad = [value for value in sink.values if value.startswith(b"bad")]
    assert bad == [b"bad %d" % n for n in range(20, 40)]
    assert sink.values.count(b"before") == 1


def line_of(letter: Delivery) -> AuditLine:
    """What `zcc dead-letters discard` writes down."""
    return AuditLine(
        letter=letter.origin,
        failed_at=text(letter.headers, failed_at_header) or "",
        worker=text(letter.headers, worker_header) or "",
        origin=text(letter.headers, origin_header) or "",
        fingerprint="",
        action="discarded",
        to="",
        replays=0,
        by="test",
        at="2026-01-15T09:30:00.000Z",
        reason="",
    )


async def test_what_is_wrong_with_more_than_one_topic_halts_the_worker_until_it_is_started_again(
    kafka_settings: KafkaSettings, unused_tcp_port: int
) -> None:
    kafka = kafka_settings
    topics = await create_topics(kafka, "one", "two", "dead-letter.test", "dead-letter-audit")
    for topic in topics[:2]:
        await produce(kafka, topic, [b"bad %d" % n for n in range(30)])

    async def handler(delivery: Delivery) -> Sequence[Record]:
        raise RejectedError(DeadLetterReason.UNREADABLE, "bad")

    work = run_handler(
        handler, component_of("test", topics[:2]), kafka=kafka, worker=settings_of(unused_tcp_port)
    )
    message = "no more were written"
    async with ends_with(TooManyDeadLettersError, message, work, unused_tcp_port) as worker:
        await worker.until_readyz(503, "of more than one topic", topics[0], topics[1])
        assert (await worker.ask("/healthz"))[0] == 200
        assert await worker.figure("zcc_worker_halted") == 1
    assert len(await records_of(kafka, [topics[2]])) <= 2 * 10


async def test_a_poisoned_partition_of_a_handler_lets_the_others_go_on(
    kafka_settings: KafkaSettings, unused_tcp_port: int
) -> None:
    kafka = kafka_settings
    poisoned, fine, dead, *_ = await create_topics(
        kafka, "poisoned", "fine", "dead-letter.test", "dead-letter-audit"
    )
    await produce(kafka, poisoned, [b"bad %d" % n for n in range(40)])
    done: list[bytes] = []

    async def handler(delivery: Delivery) -> Sequence[Record]:
        if delivery.topic == poisoned:
            raise RejectedError(DeadLetterReason.UNREADABLE, "bad")
        done.append(delivery.value or b"")
        return ()

    settings = settings_of(unused_tcp_port).model_copy(update={"in_flight_records": 5})
    for start in range(2):
        work = run_handler(
            handler, component_of("test", (poisoned, fine)), kafka=kafka, worker=settings
        )
        async with probed(work, unused_tcp_port) as worker:
            await worker.until_readyz(200, f"paused {poisoned}/0")
            values = [b"%d %d" % (start, n) for n in range(20)]
            await produce(kafka, fine, values)
            while not set(values) <= set(done):
                assert (await worker.ask("/readyz"))[0] == 200
        assert len(await records_of(kafka, [dead])) == 10
