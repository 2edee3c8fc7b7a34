"""Pure: the reference page of tables, views and reports, from the SQL that makes them.

The migrations alone know all of them with their comments. Their SQL is our own, so it is read by
its layout: a statement begins a line, a column is a line of its own. A test compares what is read
with a real database.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

_table: Final = re.compile(r"^create table zcc\.(\w+) \(\n(.*?)^\)(.*?);", re.MULTILINE | re.DOTALL)
_view: Final = re.compile(r"^create view zcc\.(\w+) as$", re.MULTILINE)
_report: Final = re.compile(
    r"^create function zcc\.(\w+)\(([^$;]*?)\)\nreturns table \(\n(.*?)^\)",
    re.MULTILINE | re.DOTALL,
)
_more_columns: Final = re.compile(
    r"^alter table zcc\.(\w+)\n((?:    add column .*\n)+)", re.MULTILINE
)
_comment: Final = re.compile(
    r"^comment on (?:table|view|column|function) zcc\.([\w.]+)(?:\([^)]*\))? is"
    r"((?:\s+'(?:[^']|'')*')+);",
    re.MULTILINE,
)
_column: Final = re.compile(
    r"^    (?:add column )?(\w+)\s+(double precision|\w+(?:\[\])?)", re.MULTILINE
)
_key: Final = re.compile(r"^    primary key \((.*)\)|^    (\w+) .*primary key", re.MULTILINE)
_piece: Final = re.compile(r"'((?:[^']|'')*)'")
_personal: Final = re.compile(r"personal: (\w+)(?:; )?")

_head: Final = """\
# Tables and views

Everything is in the schema `zcc`; `zcc migrate` makes it, `zcc migrate --sql` prints what it would
do. All ids are opaque, case-sensitive text. [How to ask](../how-to/ask-postgres.md) shows queries
and their results. What is here is in the database as well: `\\d+ zcc.engagement`.

Personal data: a column that holds some names its class. The comment of the column begins with
`personal:` and the class.
"""

_about_tables: Final = """
## Tables
For the sink and the owner of the database; people read the views. A table of things (an
engagement, a task, a queue) holds their present state, the same whatever the order in which events
arrive: each group of columns is set by the newest event that carries it (those of the beginning by
the oldest), and a column `<group>_stamp`, not listed here, keeps which event that was. A table of
moments holds a row per event; `(event_id, event_ts)` leads to the raw event.
"""


class ColumnText(NamedTuple):
    """A column of a table, a view or a report; a column of a view has no type."""

    name: str
    type: str
    comment: str


class RelationText(NamedTuple):
    """A table, a view or a report: a function that returns rows.

    ``arguments`` are those of a report, ``key`` and ``partitioned`` of a table.
    """

    name: str
    comment: str
    columns: Sequence[ColumnText]
    arguments: str = ""
    key: str = ""
    partitioned: bool = False


def read_tables(sql: str) -> list[RelationText]:
    """Return the tables that statements make, in their order, partitions left out."""
    comments = _comments(sql)
    relations = []
    for table in _table.finditer(sql):
        name, body, rest = table.groups()
        added = "".join(more[2] for more in _more_columns.finditer(sql) if more[1] == name)
        key = _key.search(body)
        relation = RelationText(
            name,
            comments.get(name, ""),
            _columns(name, body + added, comments),
            key="" if key is None else key[1] or key[2],
            partitioned="partition by" in rest,
        )
        relations.append(relation)
    return relations


def read_views(sql: str) -> list[RelationText]:
    """Return the views that statements make, by name, with the columns that have a comment."""
    comments = _comments(sql)
    columns: dict[str, list[ColumnText]] = {}
    for path, comment in comments.items():
        relation, _, column = path.partition(".")
        if column:
            columns.setdefault(relation, []).append(ColumnText(column, "", comment))
    names = sorted(view[1] for view in _view.finditer(sql))
    return [RelationText(name, comments.get(name, ""), columns.get(name, [])) for name in names]


def read_reports(sql: str) -> list[RelationText]:
    """Return the functions that return rows, by name."""
    comments = _comments(sql)
    return sorted(
        RelationText(
            report[1],
            comments.get(report[1], ""),
            _columns(report[1], report[3], comments),
            arguments=" ".join(report[2].split()),
        )
        for report in _report.finditer(sql)
    )


def tables_page(sql: str) -> str:
    """Return the page, from the statements that make everything."""
    lines = [_head, "## Views", "What people and their tools read."]
    for view in read_views(sql):
        lines += ["", f"### zcc.{view.name}", view.comment, "", *_rows(view, "personal", "meaning")]
    lines += ["", "## Reports", "Functions over a period; query them like a view."]
    for report in read_reports(sql):
        title = f"### zcc.{report.name}"
        call = f"`{report.name}({report.arguments})`"
        lines += ["", title, call, "", report.comment, "", *_rows(report, "type")]
    lines.append(_about_tables.rstrip())
    for table in read_tables(sql):
        lines += ["", f"### zcc.{table.name}", table.comment, "", _key_line(table), ""]
        lines += _rows(table, "type", "personal", "meaning")
    return "\n".join(lines) + "\n"


def _comments(sql: str) -> Mapping[str, str]:
    """Return the last comment by what it is on: a relation, or a column as relation.column."""
    return {
        match[1]: "".join(_piece.findall(match[2])).replace("''", "'")
        for match in _comment.finditer(sql)
    }


def _columns(relation: str, body: str, comments: Mapping[str, str]) -> list[ColumnText]:
    return [
        ColumnText(name, type_, comments.get(f"{relation}.{name}", ""))
        for name, type_ in _column.findall(body)
        if name != "primary"
    ]


def _key_line(table: RelationText) -> str:
    key = ", ".join(f"`{column}`" for column in table.key.split(", "))
    return f"Key: {key}." + (" Partitioned by `event_ts`." if table.partitioned else "")


def _rows(relation: RelationText, *wanted: str) -> Iterator[str]:
    """Yield a table of the columns; stamps are left out."""
    yield f"| {' | '.join(('column', *wanted))} |"
    yield f"|{'---|' * (len(wanted) + 1)}"
    for column in relation.columns:
        if column.name.endswith("_stamp"):
            continue
        personal = _personal.match(column.comment)
        meaning = column.comment[personal.end() if personal else 0 :]
        cells = {
            "type": column.type,
            "personal": personal[1] if personal else "",
            "meaning": meaning[:1].upper() + meaning[1:],
        }
        yield f"| {' | '.join((f'`{column.name}`', *(cells[name] for name in wanted)))} |"
