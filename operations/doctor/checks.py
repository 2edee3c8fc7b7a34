"""Examines what is configured: settings, Zoom, scopes, Kafka, Postgres, object storage.

A part is configured where the environment sets one of its variables. Nothing is changed, and
nothing that is printed holds a secret: settings go by name, errors hold no value.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeVar
from urllib.parse import urlsplit

from pydantic_settings import BaseSettings

from operations.doctor.clock_skew import DatesHeard
from operations.doctor.scopes import needs
from operations.settings.configured import is_configured, unknown_variables
from operations.settings.loading import read_settings
from operations.settings.unknown import product_settings
from runtime.clock import Clock
from runtime.errors import ConfigurationError, TransientError
from runtime.settings import KafkaSettings
from sinks.object_storage.settings import ObjectStorageSettings
from sinks.postgres.settings import PostgresSettings
from zoom.http.oauth import Token, TokenSource
from zoom.http.transport import opened
from zoom.settings import ZoomSettings

largest_skew_s: Final = 30.0
"""A tenth of how far the timestamp of a webhook may be off before ingest takes it for a replay."""

State = Literal["ok", "wrong", "skipped", "note"]
AnySettings = TypeVar("AnySettings", bound=BaseSettings)


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What one check has found; ``wrong`` is what somebody has to mend."""

    check: str
    state: State
    text: str


async def examine(clock: Clock) -> AsyncIterator[CheckResult]:
    """Yield what each check finds, as soon as it is found."""
    settings = _Settings(os.environ)
    for finding in settings.findings:
        yield finding
    zoom = settings.of(ZoomSettings)
    if zoom is not None:
        for finding in await _zoom(zoom, clock):
            yield finding
    kafka = settings.of(KafkaSettings)
    if kafka is not None:
        yield await _kafka(kafka)
    postgres = settings.of(PostgresSettings)
    if postgres is not None:
        yield await _postgres(postgres)
    objects = settings.of(ObjectStorageSettings)
    if objects is not None:
        yield await _object_storage(objects)


class _Settings:
    """The settings that are configured and can be read, and what there is to say of the others."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._read: dict[type[BaseSettings], BaseSettings] = {}
        self.findings = list(self._find(environment))

    def of(self, kind: type[AnySettings]) -> AnySettings | None:
        """Return settings of this class, None where they are not there or wrong."""
        found = self._read.get(kind)
        return found if isinstance(found, kind) else None

    def _find(self, environment: Mapping[str, str]) -> Iterator[CheckResult]:
        for kind in product_settings:
            prefix = f"{kind.model_config.get('env_prefix')}*"
            if not is_configured(kind, environment):
                yield CheckResult("settings", "skipped", f"{prefix}: none is set")
                continue
            try:
                self._read[kind] = read_settings(kind)
            except ConfigurationError as error:
                yield CheckResult("settings", "wrong", str(error))
            else:
                yield CheckResult("settings", "ok", prefix)
        if not self._read:
            yield CheckResult("settings", "wrong", "no variable of ours is set")
        for name in unknown_variables(product_settings, environment):
            yield CheckResult("settings", "note", f"{name}: no part of the product reads it")


async def _zoom(settings: ZoomSettings, clock: Clock) -> list[CheckResult]:
    async with opened(settings) as transport:
        dates = DatesHeard(transport, clock)
        try:
            async with asyncio.timeout(settings.call_timeout_s):
                token = await TokenSource(settings, transport=dates, clock=clock).token()
        except (ConfigurationError, TransientError, TimeoutError) as error:
            reason = str(error) or f"no answer in {settings.call_timeout_s:g} s"
            return [CheckResult("zoom token", "wrong", reason), *_skew(dates)]
    region = urlsplit(token.api_url)
    return [
        CheckResult("zoom token", "ok", f"granted for the account; the API is at {region.netloc}"),
        *_skew(dates),
        *_scopes(token),
    ]


def _skew(dates: DatesHeard) -> Iterator[CheckResult]:
    skew_s = dates.skew_s
    if skew_s is None:
        yield CheckResult("clock", "skipped", "no answer of Zoom's told its time")
    elif abs(skew_s) > largest_skew_s:
        where = "ahead of" if skew_s > 0 else "behind"
        text = f"this machine is {abs(skew_s):.0f} s {where} Zoom: set its clock by NTP"
        yield CheckResult("clock", "wrong", text)
    else:
        yield CheckResult("clock", "ok", f"{abs(skew_s):.0f} s from Zoom's")


def _scopes(token: Token) -> Iterator[CheckResult]:
    if not token.scopes:
        yield CheckResult("scopes", "skipped", "the token does not name its scopes")
        return
    for need in needs():
        check = f"scopes {need.feature}"
        held = need.held(token.scopes)
        if held:
            yield CheckResult(check, "ok", f"{need.operation.name}: {held[0]}")
        else:
            wanted = " or ".join(need.operation.scopes.all)
            yield CheckResult(check, "wrong", f"{need.operation.name}: add to the app {wanted}")


async def _kafka(settings: KafkaSettings) -> CheckResult:
    from operations.topics.apply import check

    try:
        changes = await check(settings)
    except (ConfigurationError, TransientError) as error:
        return CheckResult("kafka", "wrong", str(error))
    if changes.lines:
        text = f"{len(changes.lines)} topics are not as they should be: run `zcc topics apply`"
        return CheckResult("kafka", "wrong", text)
    return CheckResult("kafka", "ok", "it answers, and the topics are as they should be")


async def _postgres(settings: PostgresSettings) -> CheckResult:
    from sinks.postgres.migrate import current_revision
    from sinks.postgres.write.session import required_revision

    try:
        revision = await asyncio.to_thread(current_revision, settings.dsn.get_secret_value())
    except (ConfigurationError, TransientError) as error:
        return CheckResult("postgres", "wrong", str(error))
    if revision is None or revision < required_revision:
        found = "missing" if revision is None else f"at revision {revision}"
        text = f"the tables are {found}, {required_revision} is needed: run `zcc migrate`"
        return CheckResult("postgres", "wrong", text)
    return CheckResult("postgres", "ok", f"it answers, its tables are at revision {revision}")


async def _object_storage(settings: ObjectStorageSettings) -> CheckResult:
    from sinks.object_storage.probe import is_marked

    try:
        marked = await is_marked(settings)
    except (ConfigurationError, TransientError) as error:
        return CheckResult("object storage", "wrong", str(error))
    text = "a sink has written there" if marked else "nothing was written there yet"
    return CheckResult("object storage", "ok", f"it answers; {text}")
