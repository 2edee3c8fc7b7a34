"""The current apps: fixed by the settings, or from a file that is reloaded.

The file is read once a second and compared by its content. No other sign is common to all ways of
changing it: Kubernetes swaps a symbolic link above a mounted secret, editors replace the file or
write into it, and the times of files are coarse. A file that is unreadable or wrong changes
nothing: the current apps stay, and each reading is counted until the file is corrected.
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

_reloaded: Final = "taken"
_unreadable: Final = "unreadable"
_wrong: Final = "wrong"

_log = structlog.get_logger()


class ReloadingApps:
    """Holds the apps; read `current` for each request.

    Raises:
        ConfigurationError: the file cannot be read, or is wrong.
    """

    def __init__(
        self, source: Apps | Path, *, clock: Clock, create_series: Callable[[App], None]
    ) -> None:
        self._clock = clock
        self._create_series = create_series
        self._content = b""
        self._fault: str | None = None
        if isinstance(source, Path):
            self._file: Path | None = source
            self._content, self.current = _read(source)
        else:
            self._file = None
            self.current = source
        for outcome in (_reloaded, _unreadable, _wrong):
            metrics.reloads.labels(outcome)
        self._update_series((), self.current)

    async def run(self, hangup: asyncio.Event) -> None:
        """Reload the file until cancelled; without a file, return at once.

        Setting ``hangup`` requests a reading that is logged even if nothing has changed.
        """
        while self._file is not None:
            await self._clock.sleep(_poll_interval_s)
            requested = hangup.is_set()
            hangup.clear()
            await self._check_file(self._file, requested=requested)

    async def _check_file(self, file: Path, *, requested: bool) -> None:
        try:
            content = await asyncio.to_thread(file.read_bytes)
            apps = self.current if content == self._content else read_apps(content)
        except OSError as error:
            self._on_fault(_unreadable, str(error.strerror), requested=requested)
        except ValueError as error:
            self._on_fault(_wrong, str(error), requested=requested)
        else:
            if requested or self._fault is not None or apps is not self.current:
                self._replace(apps, content)

    def _on_fault(self, outcome: str, fault: str, *, requested: bool) -> None:
        metrics.reloads.labels(outcome).inc()
        if requested or fault != self._fault:
            _log.error("apps kept as they were", file=str(self._file), reason=fault)
        self._fault = fault

    def _replace(self, apps: Apps, content: bytes) -> None:
        metrics.reloads.labels(_reloaded).inc()
        self._update_series(self.current, apps)
        if apps is not self.current:
            apps = apps.following(self.current, now_s=self._clock.monotonic_s())
        self.current, self._content, self._fault = apps, content, None
        secrets = [secret for app in apps for secret in app.secrets]
        _log.info("apps read", apps=len(list(apps)), secrets=len(secrets))

    def _update_series(self, before: Iterable[App], now: Iterable[App]) -> None:
        """Create the series of each app at 0, and end the challenge of a removed app.

        Its time becomes NaN, so that no alert waits for another challenge.
        """
        now = tuple(now)
        for each in now:
            self._create_series(each)
        old, new = ({app.name for app in apps} for apps in (before, now))
        for app in new - old:
            metrics.last_challenge.labels(app).set(0)
        for app in old - new:
            metrics.last_challenge.labels(app).set(nan)


def _read(file: Path) -> tuple[bytes, Apps]:
    try:
        content = file.read_bytes()
        return content, read_apps(content)
    except OSError as error:
        raise ConfigurationError(
            f"ZCC_INGEST_APPS_FILE: cannot read {file}: {error.strerror}"
        ) from None
    except ValueError as error:
        raise ConfigurationError(f"ZCC_INGEST_APPS_FILE: {error}") from None
