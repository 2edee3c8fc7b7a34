"""The sink of revision 0001, as far as the database knows it: the statements it sends."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg.sql import SQL, Identifier, Placeholder

TABLES: Final = ("raw_event", "engagement_timeline", "engagement")


def statements() -> Mapping[str, str]:
    text = Path(__file__).with_suffix(".sql").read_text()
    parts = (part.partition("\n") for part in text.split("\n-- name: ")[1:])
    return {name: statement for name, _, statement in parts}


class FirstSink:
    """Stores rows as that sink did, one batch of one partition at a time."""

    def __init__(self, connection: psycopg.AsyncConnection[Any]) -> None:
        self._connection = connection
        self._statements = statements()
        self.position = 0

    async def start(self) -> None:
        cursor = await self._run("revision")
        row = await cursor.fetchone()
        assert row is not None
        assert row[0] >= "0001"
        for table in TABLES:
            await self._run(f"staging_{table}")
        taken = await self._run(
            "take_over",
            {
                "group": "zcc.postgres",
                "cluster_id": "cluster",
                "topics": ["topic"],
                "partitions": [0],
                "log_starts": [0],
            },
        )
        ((_, _, _, self._epoch, self.position),) = await taken.fetchall()
        await self._connection.commit()

    async def store(
        self, rows: Mapping[str, Sequence[Mapping[str, Any]]], *, month: str, count: int = 1
    ) -> Mapping[str, int]:
        """Return the number of rows that were new or changed, by table."""
        await self._run("partitions", (list(TABLES[:2]), [month]))
        await self._connection.commit()
        advanced = await self._run(
            "advance",
            {
                "group": "zcc.postgres",
                "topics": ["topic"],
                "partitions": [0],
                "epochs": [self._epoch],
                "starts": [self.position],
                "ends": [self.position + count],
            },
        )
        assert advanced.rowcount == 1
        written = {}
        for table in TABLES:
            for row in rows[table]:
                await self._stage(table, row)
            written[table] = (await self._run(f"merge_{table}")).rowcount
        await self._connection.commit()
        self.position += count
        return written

    async def _stage(self, table: str, row: Mapping[str, Any]) -> None:
        await self._connection.execute(
            SQL("insert into {} ({}) values ({})").format(
                Identifier(f"staging_{table}"),
                SQL(", ").join(map(Identifier, row)),
                SQL(", ").join(map(Placeholder, row)),
            ),
            row,
        )

    async def _run(self, name: str, parameters: Any = None) -> psycopg.AsyncCursor[Any]:
        return await self._connection.execute(self._statements[name].encode(), parameters)
