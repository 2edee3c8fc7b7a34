"""What is checked before anything is sent, and how an address is written."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from enum import StrEnum

import pytest

from zoom.catalogue import Operation, Parameter, Reply, Scopes, Window, find, operations
from zoom.errors import ArgumentError
from zoom.limits import Label
from zoom.requests.arguments import address, escaped


def operation(
    *parameters: Parameter, path: str = "/things", windows: tuple[Window, ...] = ()
) -> Operation:
    return Operation(
        name="list_things",
        resource="things",
        action="list",
        vendor_id="listThings",
        tag="Things",
        method="GET",
        path=path,
        label=Label.LIGHT,
        scopes=Scopes(classic=(), granular=()),
        parameters=parameters,
        reply=Reply(status=200),
        windows=windows,
    )


def query(**shape: object) -> Operation:
    return operation(Parameter(name="x", location="query", **shape))  # type: ignore[arg-type] # any member of a parameter


thing = operation(
    Parameter(name="id", location="path", required=True, reserved=("batch",)), path="/things/{id}"
)


class Colour(StrEnum):
    RED = "red"


@pytest.mark.parametrize(
    ("shape", "value", "written"),
    [
        ({}, "a b&c=d/e+ü", "a%20b%26c%3Dd%2Fe%2B%C3%BC"),
        ({}, "", ""),
        ({}, Colour.RED, "red"),
        ({"values": ("red", "blue")}, "red", "red"),
        ({"min_length": 2, "max_length": 3}, "ab", "ab"),
        ({"min_length": 2, "max_length": 3}, "abc", "abc"),
        ({"type": "integer", "minimum": 1, "maximum": 300}, 1, "1"),
        ({"type": "integer", "minimum": 1, "maximum": 300}, 300, "300"),
        ({"type": "integer"}, -5, "-5"),
        ({"type": "boolean"}, True, "true"),
        ({"type": "boolean"}, False, "false"),
        ({"type": "boolean", "values": (True,)}, True, "true"),
        ({"type": "array"}, ["a", "b c"], "a%2Cb%20c"),
        ({"type": "array"}, ("a",), "a"),
        ({"type": "array", "values": ("a", "b"), "max_items": 2}, ["b", "a"], "b%2Ca"),
        ({"type": "array"}, ["a", "a"], "a%2Ca"),
    ],
)
def test_what_is_right_is_written(shape: Mapping[str, object], value: object, written: str) -> None:
    assert address(query(**shape), {"x": value}) == f"/things?x={written}"


@pytest.mark.parametrize(
    ("shape", "value", "expected"),
    [
        ({}, 5, "expected text, got int"),
        ({}, b"x", "expected text, got bytes"),
        ({}, ["x"], "expected text, got list"),
        ({}, datetime(2026, 1, 1, tzinfo=UTC), "expected text, got datetime"),
        ({}, "a\x00b", "without control characters"),
        ({}, "a\r\nb", "without control characters"),
        ({}, "a\x85b", "without control characters"),
        ({}, "a\ud800b", "without control characters"),
        ({"values": ("red", "blue")}, "green", "expected one of red, blue"),
        ({"values": ("red", "blue")}, "RED", "expected one of red, blue"),
        ({"min_length": 2, "max_length": 3}, "a", "from 2 to 3"),
        ({"min_length": 2, "max_length": 3}, "abcd", "from 2 to 3"),
        ({"max_length": 3}, "abcd", "up to 3"),
        ({"min_length": 2}, "a", "from 2 on"),
        ({"type": "integer"}, "5", "expected a whole number, got str"),
        ({"type": "integer"}, True, "expected a whole number, got bool"),
        ({"type": "integer"}, 5.0, "expected a whole number, got float"),
        ({"type": "integer", "minimum": 1, "maximum": 300}, 0, "from 1 to 300"),
        ({"type": "integer", "minimum": 1, "maximum": 300}, 301, "from 1 to 300"),
        ({"type": "integer", "maximum": 300}, 301, "up to 300"),
        ({"type": "integer"}, 2**63, "expected a whole number"),
        ({"type": "integer"}, -(2**63), "expected a whole number"),
        ({"type": "boolean"}, "true", "expected True or False, got str"),
        ({"type": "boolean"}, 1, "expected True or False, got int"),
        ({"type": "boolean", "values": (True,)}, False, "expected one of True"),
        ({"type": "array"}, "a,b", "expected a sequence of texts, got str"),
        ({"type": "array"}, {"a"}, "expected a sequence of texts, got set"),
        ({"type": "array"}, 5, "expected a sequence of texts, got int"),
        ({"type": "array"}, [], "from 1 on"),
        ({"type": "array", "min_items": 2}, ["a"], "from 2 on"),
        ({"type": "array", "max_items": 1}, ["a", "b"], "from 1 to 1"),
        ({"type": "array", "unique": True}, ["a", "a"], "each item once"),
        ({"type": "array"}, ["a,b"], "no comma"),
        ({"type": "array"}, ["a", ""], "not empty"),
        ({"type": "array"}, ["a", 5], "expected text, got int"),
        ({"type": "array", "values": ("a",)}, ["b"], "expected one of a"),
        ({"type": "array", "max_length": 1}, ["ab"], "up to 1"),
    ],
)
def test_a_wrong_value_is_refused_with_the_reason(
    shape: Mapping[str, object], value: object, expected: str
) -> None:
    with pytest.raises(ArgumentError, match="list_things: x: ") as caught:
        address(query(**shape), {"x": value})
    assert expected in str(caught.value)


def test_no_message_holds_the_argument() -> None:
    personal = "ann@example.com"
    for name, argument in (
        ("user_id", f"{personal}\n"),
        ("user_id", [personal]),
        ("user_id", f"{personal}/.."),
    ):
        with pytest.raises(ArgumentError) as caught:
            address(find("get_user"), {name: argument})
        assert personal not in f"{caught.value!r}"
    with pytest.raises(ArgumentError) as caught:
        address(find("list_users"), {"search_key": personal, "page_size": personal})
    assert personal not in f"{caught.value!r}"


def test_none_leaves_an_argument_out() -> None:
    assert address(query(), {"x": None}) == "/things"
    with pytest.raises(ArgumentError, match="list_things: id: is required"):
        address(thing, {"id": None})


def test_a_missing_argument_is_named() -> None:
    with pytest.raises(ArgumentError, match="get_user: user_id: is required"):
        address(find("get_user"), {})


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("pagesize", "did you mean page_size"),
        ("from", "did you mean from_"),
        ("zzz", "known are timezone, from_, to"),
    ],
)
def test_an_unknown_argument_is_answered_with_the_nearest(name: str, advice: str) -> None:
    with pytest.raises(ArgumentError, match="is not a parameter") as caught:
        address(find("list_engagements"), {name: "x"})
    assert advice in str(caught.value)


def test_an_operation_without_arguments_says_that_it_takes_none() -> None:
    with pytest.raises(ArgumentError, match="it takes none"):
        address(operation(), {"x": 1})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("abc-DEF_1.2", "abc-DEF_1.2"),
        ("a b=", "a%20b%3D"),
        ("a/b", "a%252Fb"),
        ("/a+b=", "%252Fa%252Bb%253D"),
        ("é", "%C3%A9"),
        ("a?b#c{id}", "a%3Fb%23c%7Bid%7D"),
        ("%2e%2e", "%252e%252e"),
        ("...x", "...x"),
    ],
)
def test_ids_are_escaped_twice_where_they_hold_a_slash_or_a_plus(text: str, expected: str) -> None:
    assert escaped(text) == expected
    assert address(thing, {"id": text}) == f"/things/{expected}"


@pytest.mark.parametrize(
    "text", ["", " ", ".", "..", "...", "a/../b", "../a", "a/..", "a\\..\\b", "batch", "Batch"]
)
def test_what_would_address_another_thing_is_refused(text: str) -> None:
    with pytest.raises(ArgumentError, match="id: expected an id"):
        address(thing, {"id": text})


def test_the_reserved_words_of_the_catalogue_are_refused() -> None:
    for operation_ in operations().values():
        for parameter in operation_.parameters:
            for word in parameter.reserved:
                others = {p.argument: "x" for p in operation_.parameters if p.location == "path"}
                with pytest.raises(ArgumentError):
                    address(operation_, others | {parameter.argument: word})


def test_every_path_of_the_catalogue_is_filled() -> None:
    for operation_ in operations().values():
        arguments = {
            parameter.argument: str(parameter.values[0]) if parameter.values else "an-id"
            for parameter in operation_.parameters
            if parameter.location == "path"
        }
        path = operation_.path
        required = {
            p.argument: _some(p)
            for p in operation_.parameters
            if p.location == "query" and p.required
        }
        written = address(operation_, arguments | required)
        assert "{" not in written
        assert written.partition("?")[0].count("/") == path.count("/")


def _some(parameter: Parameter) -> object:
    if parameter.values:
        return [parameter.values[0]] if parameter.type == "array" else parameter.values[0]
    return {"integer": 1, "boolean": True, "array": ["x"], "string": "x"}[parameter.type]


plus_two = timezone(timedelta(hours=2))
noon = datetime(2026, 1, 31, 12, 0, 0, 1, tzinfo=plus_two)


def windowed(*forms: str, **more: object) -> Operation:
    window = Window(start="from", end="to", forms=forms, **more)  # type: ignore[arg-type] # any member of a window
    ends = [Parameter(name=name, location="query") for name in ("from", "to")]
    return operation(*ends, windows=(window,))


@pytest.mark.parametrize(
    ("operation_", "start", "end", "written"),
    [
        (windowed("date", "z"), noon, noon, ("2026-01-31T10:00:00Z", "2026-01-31T10:00:01Z")),
        (
            windowed("date", "z", "offset", z_is_literal=True),
            noon,
            noon,
            ("2026-01-31T10:00:00%2B00:00", "2026-01-31T10:00:01%2B00:00"),
        ),
        (
            windowed("offset"),
            noon,
            noon,
            ("2026-01-31T10:00:00%2B00:00", "2026-01-31T10:00:01%2B00:00"),
        ),
        (windowed("date"), date(2026, 1, 1), date(2026, 1, 1), ("2026-01-01", "2026-01-01")),
        (
            windowed("z"),
            datetime(999, 1, 1, tzinfo=UTC),
            noon,
            ("0999-01-01T00:00:00Z", "2026-01-31T10:00:01Z"),
        ),
        (windowed("date", "z"), "2026-01-01", noon, ("2026-01-01", "2026-01-31T10:00:01Z")),
        (
            windowed("offset"),
            "2026-01-01T00:00:00-05:00",
            "2026-01-02T00:00:00-05:00",
            ("2026-01-01T00:00:00-05:00", "2026-01-02T00:00:00-05:00"),
        ),
    ],
)
def test_moments_are_written_as_the_operation_reads_them(
    operation_: Operation, start: object, end: object, written: tuple[str, str]
) -> None:
    first, last = (text.replace(":", "%3A") for text in written)
    got = address(operation_, {"from_": start, "to": end})
    assert got == f"/things?from={first}&to={last}"


@pytest.mark.parametrize(
    ("operation_", "start", "end", "expected"),
    [
        (windowed("date"), noon, noon, "from_: expected a date"),
        (windowed("z"), date(2026, 1, 1), noon, "from_: expected a datetime with a time zone"),
        (windowed("z"), datetime(2026, 1, 1), noon, "from_: expected a datetime with a time zone"),  # noqa: DTZ001 - the case
        (windowed("z"), 5, noon, "from_: expected a moment in UTC"),
        (windowed("z"), "2026-01-01", noon, "from_: expected a moment in UTC"),
        (windowed("z"), "yesterday", noon, "from_: expected a moment in UTC"),
        (windowed("date"), "2026-02-30", "2026-03-01", "from_: expected a date"),
        (
            windowed("date", "z", "offset", z_is_literal=True),
            "2026-01-01T00:00:00Z",
            noon,
            "from_: expected a date (2026-01-31) or a moment with its offset",
        ),
        (
            windowed("z"),
            datetime.min.replace(tzinfo=plus_two),
            noon,
            "from_: expected a datetime that is in the years 1 to 9999",
        ),
        (
            windowed("z"),
            noon,
            datetime.max.replace(tzinfo=UTC),
            "to: expected a datetime that is in the years 1 to 9999",
        ),
        (windowed("z"), noon, noon - timedelta(days=1), "to: expected no earlier moment"),
        (windowed("date"), "2026-01-02", "2026-01-01", "to: expected no earlier moment"),
        (windowed("z"), noon, None, "to: is required where from_ is given"),
        (windowed("z"), None, noon, "from_: is required where to is given"),
        (
            windowed("z", longest_days=28, beyond="truncated"),
            noon,
            noon + timedelta(days=28, seconds=1),
            "to: expected at most 28 days after from",
        ),
        (
            windowed("date", longest_days=28, beyond="truncated"),
            date(2026, 2, 1),
            date(2026, 3, 1),
            "to: expected at most 27 days after from",
        ),
    ],
)
def test_moments_that_cannot_be_written_are_refused(
    operation_: Operation, start: object, end: object, expected: str
) -> None:
    with pytest.raises(ArgumentError) as caught:
        address(operation_, {"from_": start, "to": end})
    assert expected in str(caught.value)


def test_a_span_as_long_as_allowed_passes_and_what_zoom_refuses_itself_is_left_to_it() -> None:
    long = noon + timedelta(days=28)
    assert address(windowed("z", longest_days=28, beyond="truncated"), {"from_": noon, "to": long})
    month = {"from_": date(2026, 2, 1), "to": date(2026, 2, 28)}
    assert address(windowed("date", longest_days=28, beyond="truncated"), month)
    longer = noon + timedelta(days=100)
    assert address(windowed("z", longest_days=28, beyond="refused"), {"from_": noon, "to": longer})


def test_every_moment_of_the_catalogue_is_the_end_of_a_window() -> None:
    for operation_ in operations().values():
        ends = {name for window in operation_.windows for name in (window.start, window.end)}
        moments = {p.name for p in operation_.parameters if p.format in ("date", "date-time")}
        assert moments <= ends


def test_every_window_of_the_catalogue_can_be_written() -> None:
    for operation_ in operations().values():
        for window in operation_.windows:
            only_dates = window.forms == ("date",)
            moment: object = date(2026, 1, 1) if only_dates else noon
            names = {p.name: p.argument for p in operation_.parameters}
            required = {p.argument: _some(p) for p in operation_.parameters if p.required}
            ends = {names[window.start]: moment, names[window.end]: moment}
            written = address(operation_, required | ends)
            assert not (window.z_is_literal and "Z&" in f"{written}&")
