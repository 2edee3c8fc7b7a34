"""Logs: one JSON object per line on standard error, for this project and its libraries alike.

Libraries log from WARNING on at any level, because the Kafka client logs keys and values at lower
levels. Messages that the Kafka client repeats at each attempt of an outage or a rebalance are
logged once in a while.
"""

import logging
import sys
from typing import Final, Literal, get_args

import orjson
import structlog
from structlog.typing import Processor

from runtime.errors import ConfigurationError

Level = Literal["debug", "info", "warning", "error"]

_repeating: Final = "aiokafka"
_repeat_after_s: Final = 30.0


def configure_logs(*, json: bool = True, level: str = "info") -> None:
    """Set up logging for this process; may be called again.

    ``json`` False writes lines for people. ``level`` is the lowest level of this project's own
    logs.

    Raises:
        ConfigurationError: the level is unknown.
    """
    if level.lower() not in get_args(Level):
        raise ConfigurationError(
            f"log level {level!r}: expected one of {', '.join(get_args(Level))}"
        )
    number = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[*_shared(), *_rendering(json=json)],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(_Repeats())
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*_shared(), structlog.stdlib.add_logger_name],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *_rendering(json=json),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(number, logging.WARNING))


def _shared() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]


def _rendering(*, json: bool) -> list[Processor]:
    """Tracebacks have no local variables, because those hold bodies."""
    if not json:
        return [
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
            )
        ]
    return [
        structlog.processors.ExceptionRenderer(
            structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
        ),
        structlog.processors.JSONRenderer(serializer=_json),
    ]


def _json(entry: object, **_: object) -> str:
    return orjson.dumps(entry, default=str, option=orjson.OPT_NON_STR_KEYS).decode()


class _Repeats(logging.Filter):
    """Lets a message of one call site in the Kafka client through once in a while."""

    def __init__(self) -> None:
        super().__init__()
        self._logged_s: dict[tuple[str, int], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether to log it."""
        if not record.name.startswith(_repeating):
            return True
        call_site = (record.pathname, record.lineno)
        last_s = self._logged_s.get(call_site)
        if last_s is not None and record.created - last_s < _repeat_after_s:
            return False
        self._logged_s[call_site] = record.created
        return True
