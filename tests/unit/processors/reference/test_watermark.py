"""A watermark survives as text, and what cannot be read counts as none."""

from datetime import UTC, datetime, timedelta

import pytest

from processors.reference.watermark import (
    Checking,
    Phase,
    ReadingPages,
    Waiting,
    Watermark,
    read_watermark,
)

now = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "phase",
    [
        ReadingPages(started_at=now),
        ReadingPages(started_at=now, part="", token="t/+=", token_at=now + timedelta(seconds=1)),
        ReadingPages(started_at=now, part="ünit", read=True),
        Checking(started_at=now, after="id"),
        Waiting(until=now),
    ],
)
def test_a_watermark_is_read_as_it_was_written(phase: Phase) -> None:
    for mark in (
        Watermark(phase=phase),
        Watermark(phase=phase, walked_at=now, missing=("a", "b")),
    ):
        assert read_watermark(mark.encode()) == mark


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "12",
        "[]",
        "{}",
        '{"phase":"dreaming","walked_at":null,"missing":[]}',
        '{"phase":"waiting","walked_at":null,"missing":[]}',
        '{"phase":"waiting","until":"2026-01-01T00:00:00","walked_at":null,"missing":[]}',
        '{"phase":"waiting","until":"2026-01-01T00:00:00Z","more":1,"walked_at":null,"missing":[]}',
        '{"phase":"waiting","until":7,"walked_at":null,"missing":[]}',
    ],
)
def test_a_text_that_is_no_watermark_counts_as_none(text: str | None) -> None:
    assert read_watermark(text) is None
