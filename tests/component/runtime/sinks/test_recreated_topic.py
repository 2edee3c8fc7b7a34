"""A topic is recreated while a planned sink works, at any moment: simulated, from many seeds."""

import pytest

from runtime.sinks.worker import SinkWorker
from tests.support.workers import Rig, running, simulated, source, until
from tests.support.workers_on_kafka import LogSink


@pytest.mark.parametrize("seed", range(20))
@simulated
async def test_no_batch_of_a_planned_sink_holds_records_of_two_logs(seed: int) -> None:
    rig, sink = Rig(seed=seed), LogSink()
    old = rig.broker.topic_ids["in"]
    rig.append(*(b"old %d" % n for n in range(15)))
    work = SinkWorker(sink, rig.context(batch_records=10, batch_age_s=5))
    async with running(work):
        await until(lambda: len(sink.by_log) >= 10)
        rig.broker.recreate_topic("in")
        new = rig.broker.topic_ids["in"]
        rig.append(*(b"new %d" % n for n in range(40)))
        await until(lambda: rig.position_of(source) == 40 and len(sink.by_log) >= 50)
    stored = {log: [v for where, v in sink.by_log if where == log] for log in (old, new)}
    assert all(value.startswith(b"old") for value in stored[old])
    assert stored[new] == [b"new %d" % n for n in range(40)]
