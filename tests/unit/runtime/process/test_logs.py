"""Logs of ours and of libraries on standard error."""

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from runtime.errors import ConfigurationError
from runtime.process.logs import configure_logs


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    captured = capsys.readouterr()
    assert captured.out == ""
    return [json.loads(line) for line in captured.err.splitlines()]


def test_a_log_line_is_one_json_object(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs()
    structlog.get_logger().info("started", worker="w", partitions=2)
    (line,) = lines(capsys)
    assert str(line.pop("timestamp")).endswith("Z")
    assert line == {"event": "started", "worker": "w", "partitions": 2, "level": "info"}


def test_lines_below_the_level_are_not_written(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs(level="WARNING")
    structlog.get_logger().info("quiet")
    structlog.get_logger().warning("loud")
    assert [line["event"] for line in lines(capsys)] == ["loud"]


def test_an_unknown_level_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="expected one of debug, info, warning, error"):
        configure_logs(level="chatty")


def test_libraries_are_heard_from_warning_on_in_the_same_form(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure_logs(level="debug")
    logging.getLogger("alembic.runtime").info("not this")
    logging.getLogger("alembic.runtime").warning("but %s", "this")
    (line,) = lines(capsys)
    assert (line["event"], line["level"], line["logger"]) == (
        "but this",
        "warning",
        "alembic.runtime",
    )


def test_the_kafka_client_does_not_repeat_itself_and_others_may(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure_logs()
    for number in range(5):
        logging.getLogger("aiokafka.client").error("cannot connect, attempt %d", number)
        logging.getLogger("asyncio").error("defect %d", number)
    logging.getLogger("aiokafka.client").error("something else")
    events = [str(line["event"]) for line in lines(capsys)]
    assert [event for event in events if "attempt" in event] == ["cannot connect, attempt 0"]
    assert [event for event in events if "defect" in event] == [f"defect {n}" for n in range(5)]
    assert "something else" in events


def fail_over(body: str) -> None:
    raise ValueError(f"impossible for {len(body)} characters")


@pytest.mark.parametrize("json", [True, False])
def test_a_traceback_shows_no_values(capsys: pytest.CaptureFixture[str], *, json: bool) -> None:
    configure_logs(json=json)
    body = "what the customer {}".format("said")
    try:
        fail_over(body)
    except ValueError:
        structlog.get_logger().exception("failed")
        logging.getLogger("uvicorn").exception("failed too")
    captured = capsys.readouterr().err
    assert "impossible" in captured
    assert "what the customer said" not in captured
    assert len(captured.splitlines()) == 2 or not json


def test_lines_for_people_are_no_json(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs(json=False)
    structlog.get_logger().info("started", worker="w")
    assert "worker=w" in capsys.readouterr().err
