"""The queries of docs/how-to/ask-objects.md, on objects that hold repeats."""

import re
from pathlib import Path
from typing import Any

import psycopg
import pyarrow.dataset as ds
import pytest

from runtime.values import Assignment, Batch, PartitionState
from sinks.object_storage.layout.rows import table_schema
from sinks.object_storage.settings import ObjectStorageSettings
from sinks.object_storage.sink import ObjectStorageSink
from tests.support.enriched_records import SOURCE, START_MS, batch, delivery, webhook
from tests.support.fakes.sinks import store

PAGE = (Path(__file__).parents[4] / "docs" / "how-to" / "ask-objects.md").read_text()
TYPES = {
    "string": "text",
    "int32": "integer",
    "int64": "bigint",
    "timestamp[ms, tz=UTC]": "timestamptz",
}


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def some() -> Batch:
    """Three events in six rows: one delivered twice, one enriched again twice."""
    first, second, third = (
        webhook("task_created", {"task_id": f"T{n}"}, at_ms=START_MS + 1000 * n) for n in range(3)
    )
    return batch(
        [
            delivery(first),
            delivery(second),
            delivery(second, enrichment={"status": "partial"}, revision=3),
            delivery(first),
            delivery(second, enrichment={"status": "partial"}, revision=2),
            delivery(third),
        ]
    )


@pytest.fixture
async def folder(tmp_path: Path) -> Path:
    settings = ObjectStorageSettings(url=f"file://{tmp_path}/events")
    async with ObjectStorageSink(settings) as sink:
        state = {SOURCE: PartitionState(None, 0, 10)}
        await sink.assigned(Assignment("cluster", "group", state, {SOURCE.topic: "T" * 22}))
        assert not await store(sink, some())
    return tmp_path / "events"


async def test_the_queries_show_each_event_once_and_how_many_rows_are_repeats(
    folder: Path, database_dsn: str
) -> None:
    rows = ds.dataset(folder, format="parquet", exclude_invalid_files=True).to_table().to_pylist()
    columns = ", ".join(f'"{field.name}" {TYPES[str(field.type)]}' for field in table_schema)
    values = ", ".join(f"%({name})s" for name in table_schema.names)
    once, repeats = blocks("sql")
    async with await psycopg.AsyncConnection.connect(database_dsn) as connection:
        await connection.execute(f"create temporary table events ({columns})".encode())
        for row in rows:
            await connection.execute(f"insert into events values ({values})".encode(), row)
        shown = await (await connection.execute(once.encode())).fetchall()
        counts = await (await connection.execute(repeats.encode())).fetchone()
    assert [(row[1], row[4]) for row in shown] == [
        ("contact_center.task_created", revision) for revision in (1, 3, 1)
    ]
    assert counts == (6, 3)


def test_the_program_shows_each_event_once(folder: Path) -> None:
    (program,) = blocks("python")
    names: dict[str, Any] = {}
    exec(program.replace('"events"', repr(str(folder))), names)
    events = names["each_event_once"].sort_by("occurred_at")
    assert events["revision"].to_pylist() == [1, 3, 1]
