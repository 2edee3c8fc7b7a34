"""The fold of watermark records: what counts, and what is fenced."""

from datetime import UTC, datetime, timedelta

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.errors import ConfigurationError
from runtime.pollers.watermarks import Mark, Watermarks
from runtime.values import Delivery, Record

topic = "watermarks"
moment = datetime(2026, 1, 1, tzinfo=UTC)


def delivered(record: Record, offset: int = 0) -> Delivery:
    return Delivery(topic, 0, offset, record.key, record.value, record.headers, 0)


def read(records: list[Record]) -> Watermarks:
    watermarks = Watermarks()
    for offset, record in enumerate(records):
        watermarks.take(delivered(record, offset))
    return watermarks


steps = st.lists(
    st.one_of(
        st.just("claim"),
        st.tuples(st.sampled_from(["a", "b"]), st.text(max_size=5)),
        st.just("stale"),
    )
)


@given(steps)
def test_a_reader_finds_what_each_active_member_has_committed_and_nothing_of_a_stale_one(
    history: list[str | tuple[str, str]],
) -> None:
    log: list[Record] = []
    expected: dict[str, Mark] = {}
    active, stale, fenced = Watermarks(), Watermarks(), 0
    log.append(active.claim(topic, moment))
    for number, step in enumerate(history):
        at = moment + timedelta(seconds=number)
        if step == "claim":
            stale, active = active, read(log)
            log.append(active.claim(topic, at))
        elif step == "stale":
            if stale.generation:
                log.append(stale.record(topic, "a", Mark("stale", at)))
                fenced += 1
        else:
            assert isinstance(step, tuple)
            feed, watermark = step
            mark = Mark(watermark, at)
            log.append(active.record(topic, feed, mark))
            active.commit(feed, mark)
            expected[feed] = mark
    watermarks = read(log)
    assert {feed: watermarks[feed] for feed in ("a", "b") if watermarks[feed]} == expected
    assert watermarks.fenced_count == fenced
    assert watermarks.generation == active.generation
    assert {feed: active[feed] for feed in expected} == expected


@given(steps)
def test_the_claim_is_above_all_that_was_read(history: list[str | tuple[str, str]]) -> None:
    log = [read([]).claim(topic, moment)]
    for _ in history:
        log.append(read(log).claim(topic, moment))
    generations = [orjson.loads(each.value or b"")["generation"] for each in log]
    assert generations == list(range(1, len(log) + 1))


def test_a_tombstone_of_any_writer_removes_a_watermark() -> None:
    writer = Watermarks()
    log = [writer.claim(topic, moment), writer.record(topic, "a", Mark("5", moment))]
    log.append(Record(topic, log[1].key, None))
    watermarks = read(log)
    assert watermarks["a"] is None
    assert watermarks.generation == 1


@pytest.mark.parametrize(
    "value", [b"no", b"[]", b"7", b"{}", b'{"generation": 1, "watermark": "x", "at": "yesterday"}']
)
def test_what_is_no_watermark_is_refused_with_its_place(value: bytes) -> None:
    with pytest.raises(ConfigurationError, match="watermarks/0/3 is not a watermark"):
        Watermarks().take(Delivery(topic, 0, 3, b"feed:a", value, (), 0))


def test_records_go_to_the_one_partition_by_the_name_of_the_feed() -> None:
    writer = Watermarks()
    claim = writer.claim(topic, moment)
    record = writer.record(topic, "users", Mark("5", moment))
    assert (claim.key, claim.partition) == (b"active", 0)
    assert (record.key, record.partition) == (b"feed:users", 0)
