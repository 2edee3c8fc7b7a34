"""Which objects a batch becomes, and what their names and footers say."""

import pytest

from runtime.errors import ConfigurationError
from runtime.values import Span, TopicPartition
from sinks.object_storage.layout.objects import (
    Frontier,
    Log,
    ObjectName,
    PlannedObject,
    day_of,
    parse_name,
    plan_objects,
    stored_span,
)
from sinks.object_storage.layout.rows import ObjectKey, ObjectRow, Rows

source = TopicPartition("zcc.enriched.engagement.v1", 3)
log = Log("cluster", "_6k8WQ0HQ5-Y3rSwjX1v2A")
folder = "topic=zcc.enriched.engagement.v1/date=2026-01-0"


def row(offset: int) -> ObjectRow:
    return ObjectRow(
        event_id=f"{offset:064x}",
        event="e",
        account_id="ACCOUNT",
        subject=None,
        occurred_at=0,
        received_at=0,
        app=None,
        request_id=None,
        revision=1,
        topic=source.topic,
        partition=source.partition,
        offset=offset,
        partition_key=None,
        body="{}",
    )


def days(**offsets: list[int]) -> Rows:
    return {
        ObjectKey(source, f"2026-01-0{name[-1]}"): [row(offset) for offset in day_offsets]
        for name, day_offsets in offsets.items()
    }


def planned(rows: Rows, span: Span, frontier: Frontier | None = None) -> list[PlannedObject]:
    frontiers = {} if frontier is None else {source: frontier}
    logs = {source.topic: log}
    return list(plan_objects(rows, {source: span}, logs=logs, frontiers=frontiers))


def summary(objects: list[PlannedObject]) -> list[tuple[str, int, int, list[int], bool]]:
    return [
        (
            each.key.day[-1],
            each.span.start,
            each.span.end,
            [r.offset for r in each.rows],
            each.stored,
        )
        for each in objects
    ]


def test_a_batch_becomes_one_object_a_day_named_by_start_and_log() -> None:
    first, second = planned(days(day2=[1], day1=[0, 2]), Span(0, 10))
    assert first.path == f"{folder}1/00003-00000000000000000000-_6k8WQ0HQ5-Y3rSwjX1v2A.parquet"
    assert first.table()["offset"].to_pylist() == [0, 2]
    assert day_of(second.path) == second.key.day == "2026-01-02"
    assert parse_name(second.path) == ObjectName(3, 0, log.name)


@pytest.mark.parametrize(
    "path",
    [
        "topic=t/date=2026-01-01/00003-00000000000000000000.parquet",
        "topic=t/date=2026-01-01/part-0.parquet",
        "topic=t/date=2026-01-01/00003-00000000000000000000-x.parquet#1",
        "zcc-events",
    ],
)
def test_other_names_are_none_of_ours(path: str) -> None:
    assert parse_name(path) is None


def test_a_footer_says_what_was_planned() -> None:
    other = {"2026-01-02": Span(0, 30)}
    each = PlannedObject(ObjectKey(source, "2026-01-01"), Span(5, 9), log, [row(5)], other)
    assert stored_span("p", each.table().schema.metadata, log) == (Span(5, 9), other)
    plain = PlannedObject(ObjectKey(source, "2026-01-01"), Span(5, 9), Log("c", ""), [row(5)])
    assert stored_span("p", plain.table().schema.metadata, Log("c", "")) == (Span(5, 9), {})


@pytest.mark.parametrize(
    ("footer", "message"),
    [
        (None, "names no log"),
        ({}, "names no log"),
        ({b"zcc.cluster.id": b"cluster"}, r"names cluster cluster and topic id \(none\), not"),
        ({b"zcc.cluster.id": b"x", b"zcc.topic.id": log.topic_id.encode()}, "names cluster x"),
        (
            {b"zcc.cluster.id": b"cluster", b"zcc.topic.id": log.topic_id.encode()},
            "names no span of offsets",
        ),
    ],
)
def test_a_footer_of_another_log_is_refused(
    footer: dict[bytes, bytes] | None, message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message):
        stored_span("path", footer, log)


def test_what_lies_below_a_frontier_is_left_out_and_what_lies_beyond_is_cut_at_the_ends() -> None:
    frontier = Frontier(4, {"2026-01-01": Span(4, 8)})
    rows = days(day1=[2, 4, 6, 9], day2=[3, 5, 7, 8])
    assert summary(planned(rows, Span(2, 10), frontier)) == [
        ("1", 4, 8, [4, 6], True),
        ("2", 4, 8, [5, 7], False),
        ("1", 8, 10, [9], False),
        ("2", 8, 10, [8], False),
    ]


def test_a_batch_that_ends_inside_the_last_span_says_which_days_reach_further() -> None:
    last = Span(4, 8)
    first = planned(days(day1=[4], day2=[5]), Span(4, 6), Frontier(4, {"2026-01-01": last}))
    assert summary(first) == [("1", 4, 8, [4], True), ("2", 4, 6, [5], False)]
    assert first[1].other_days == {"2026-01-01": last}
    after = Frontier(6, {"2026-01-02": Span(6, 7), "2026-01-01": last})
    second = planned(days(day1=[6, 7], day2=[6]), Span(6, 8), after)
    assert summary(second) == [
        ("1", 4, 8, [6], True),
        ("2", 6, 7, [6], True),
        ("1", 4, 8, [7], True),
    ]


def test_a_batch_behind_the_frontier_is_one_piece_again() -> None:
    frontier = Frontier(4, {"2026-01-01": Span(4, 8)})
    (only,) = planned(days(day1=[8]), Span(8, 9), frontier)
    assert (only.span, only.other_days, only.stored) == (Span(8, 9), {}, False)


def test_a_batch_that_lies_below_the_frontier_has_no_objects() -> None:
    frontier = Frontier(4, {"2026-01-01": Span(4, 8)})
    assert planned(days(day1=[1], day2=[2]), Span(1, 3), frontier) == []


def test_logs_without_a_topic_id_are_distinguished_by_their_cluster() -> None:
    one, two = Log("one", "").name, Log("two", "").name
    assert one != two
    assert len(one) == len(two) == 21
