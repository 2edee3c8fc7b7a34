"""The apps as of now: from the settings for good, or from a file that is read again.

A file is read once a second and compared by its content, because there is no other sign that all
ways to change it have in common: Kubernetes swaps a symbolic link above a mounted secret, editors
put another file in its place or write into it, and times of files are coarse. What cannot be read
or is wrong changes nothing: the apps that are there go on, and it is counted until it is mended.
"""

import asyncio
from collections.abc import Callable, Iterable
from math import nan
from pathlib import Path
from typing import Final

import structlog

from ingest.apps.config import read_apps
from ingest.apps.registry import App, Apps
from ingest.metrics import metrics
from runtime.clock import Clock
from runtime.errors import ConfigurationError

_poll_interval_s: Final = 1.0

_taken: Final = "taken"
_unreadable: Final = "unreadable"
_wrong: Final = "wrong"

_log = structlog.get_logger()


class ReloadingApps:
    """Holds the apps; `current` is to be read anew for each request.

    Raises:
        ConfigurationError: the file cannot be read, or is wrong.
    """

    def __init__(
        self, source: Apps | Path, *, clock: Clock, begin_metrics: Callable[[App], None]
    ) -> None:
        self._clock = clock
        self._begin_series = begin_metrics
        self._content = b""
        self._fault: str | None = None
        if isinstance(source, Path):
            self._file: Path | None = source
            self._content, self.current = _first_reading(source)
        else:
            self._file = None
            self.current = source
        for outcome in (_taken, _unreadable, _wrong):
            metrics.reloads.labels(outcome)
        self._show_series((), self.current)

    async def run(self, hangup: asyncio.Event) -> None:
        """Follow the file until cancelled; without a file, return at once.

        ``hangup`` set asks for a reading that is told even if nothing has changed; it is cleared.
        """
        while self._file is not None:
            await self._clock.sleep(_poll_interval_s)
            asked = hangup.is_set()
            hangup.clear()
            await self._check_file(self._file, asked=asked)

    async def _check_file(self, file: Path, *, asked: bool) -> None:
        try:
            content = await asyncio.to_thread(file.read_bytes)
            apps = self.current if content == self._content else read_apps(content)
        except OSError as error:
            self._keep(_unreadable, str(error.strerror), asked=asked)
        except ValueError as error:
            self._keep(_wrong, str(error), asked=asked)
        else:
            if asked or self._fault is not None or apps is not self.current:
                self._take(apps, content)

    def _keep(self, outcome: str, fault: str, *, asked: bool) -> None:
        metrics.reloads.labels(outcome).inc()
        if asked or fault != self._fault:
            _log.error("apps kept as they were", file=str(self._file), reason=fault)
        self._fault = fault

    def _take(self, apps: Apps, content: bytes) -> None:
        metrics.reloads.labels(_taken).inc()
        self._show_series(self.current, apps)
        if apps is not self.current:
            apps = apps.following(self.current, now_s=self._clock.monotonic_s())
        self.current, self._content, self._fault = apps, content, None
        secrets = [secret for app in apps for secret in app.secrets]
        _log.info("apps read", apps=len(list(apps)), secrets=len(secrets))

    def _show_series(self, before: Iterable[App], now: Iterable[App]) -> None:
        """Let each app's series begin at 0: one that begins at 1 has not increased.

        The challenge of an app that is gone is no number any more, so that nobody waits for it.
        """
        now = tuple(now)
        for each in now:
            self._begin_series(each)
        old, new = ({app.name for app in apps} for apps in (before, now))
        for app in new - old:
            metrics.last_challenge.labels(app).set(0)
        for app in old - new:
            metrics.last_challenge.labels(app).set(nan)


def _first_reading(file: Path) -> tuple[bytes, Apps]:
    try:
        content = file.read_bytes()
        return content, read_apps(content)
    except OSError as error:
        raise ConfigurationError(
            f"ZCC_INGEST_APPS_FILE: cannot read {file}: {error.strerror}"
        ) from None
    except ValueError as error:
        raise ConfigurationError(f"ZCC_INGEST_APPS_FILE: {error}") from None
