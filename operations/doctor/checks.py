"""Examines the configuration: settings, Zoom, scopes, Kafka and the stores of the components.

A part is configured where the environment sets one of its variables. The checks change nothing and
print no secret: settings go by name, errors hold no value.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal, TypeVar
from urllib.parse import urlsplit

from pydantic_settings import BaseSettings

from operations.components import components
from operations.doctor.clock_skew import ServerDates
from operations.doctor.scopes import needs
from operations.settings.configured import is_configured, unknown_variables
from operations.settings.loading import read_settings
from operations.settings.unknown import product_settings
from operations.topics.apply import check as check_topics
from runtime.clock import Clock
from runtime.component import Component
from runtime.errors import ConfigurationError, TransientError
from runtime.lazy import load_coroutine
from runtime.settings import KafkaSettings
from zoom.accounts_file import read_accounts
from zoom.http.oauth import Token, TokenSource
from zoom.http.transport import opened
from zoom.settings import ZoomSettings

largest_skew_s: Final = 30.0
"""A tenth of how far the timestamp of a webhook may be off before ingest takes it for a replay."""

State = Literal["ok", "wrong", "skipped", "note"]
AnySettings = TypeVar("AnySettings", bound=BaseSettings)


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The result of one check; a person has to correct a ``wrong`` one."""

    check: str
    state: State
    text: str


async def examine(clock: Clock) -> AsyncIterator[CheckResult]:
    """Yield the result of each check as soon as it is known."""
    settings = _Settings(os.environ)
    for result in settings.results:
        yield result
    zoom = settings.of(ZoomSettings)
    if zoom is not None:
        async for result in _zoom(zoom, clock):
            yield result
    kafka = settings.of(KafkaSettings)
    if kafka is not None:
        yield await _kafka(kafka)
    for component in components:
        own = settings.of(component.settings[0]) if component.check else None
        if own is not None:
            yield await check_store(component, own)


class _Settings:
    """The settings that are configured and valid, and a result for each class of settings."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._read: dict[type[BaseSettings], BaseSettings] = {}
        self.results = list(self._read_all(environment))

    def of(self, kind: type[AnySettings]) -> AnySettings | None:
        """Return settings of this class, None where they are missing or wrong."""
        settings = self._read.get(kind)
        return settings if isinstance(settings, kind) else None

    def _read_all(self, environment: Mapping[str, str]) -> Iterator[CheckResult]:
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
            yield CheckResult("settings", "wrong", "no ZCC_ variable of the product is set")
        for name in unknown_variables(product_settings, environment):
            yield CheckResult("settings", "note", f"{name}: no part of the product reads it")


async def _zoom(settings: ZoomSettings, clock: Clock) -> AsyncIterator[CheckResult]:
    try:
        accounts = await asyncio.to_thread(read_accounts, settings)
    except ConfigurationError as error:
        yield CheckResult("zoom accounts", "wrong", str(error))
        return
    if not accounts:
        yield CheckResult("zoom token", "skipped", "no credentials: events get no names from Zoom")
    for account in accounts:
        which = "" if settings.accounts_file is None else f"account {account.account_id}: "
        for result in await _account(account, clock):
            yield replace(result, text=f"{which}{result.text}")


async def _account(settings: ZoomSettings, clock: Clock) -> list[CheckResult]:
    async with opened(settings) as transport:
        dates = ServerDates(transport, clock)
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


def _skew(dates: ServerDates) -> Iterator[CheckResult]:
    skew_s = dates.skew_s
    if skew_s is None:
        yield CheckResult("clock", "skipped", "no answer of Zoom's carried its time")
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
        check = f"scopes {need.component}"
        held = need.held(token.scopes)
        if held:
            yield CheckResult(check, "ok", f"{need.operation.name}: {held[0]}")
        else:
            wanted = " or ".join(need.operation.scopes.all)
            yield CheckResult(check, "wrong", f"{need.operation.name}: add to the app {wanted}")


async def _kafka(settings: KafkaSettings) -> CheckResult:
    try:
        changes = await check_topics(settings)
    except (ConfigurationError, TransientError) as error:
        return CheckResult("kafka", "wrong", str(error))
    if changes.lines:
        text = (
            f"{len(changes.lines)} topics differ from their specifications: run `zcc topics apply`"
        )
        return CheckResult("kafka", "wrong", text)
    return CheckResult("kafka", "ok", "it answers, and the topics match their specifications")


async def check_store(component: Component, settings: BaseSettings) -> CheckResult:
    """Run the check of a component on the store that its settings name."""
    name = component.name.replace("-", " ")
    check = load_coroutine(component.check)
    try:
        return CheckResult(name, "ok", str(await check(settings)))
    except (ConfigurationError, TransientError) as error:
        return CheckResult(name, "wrong", str(error))
