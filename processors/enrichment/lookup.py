"""Answers lookups from memory, and sends each at most once at a time, in the background.

A lookup that misses its deadline continues, and its answer serves the next event. The deadline
counts from the start of the lookup, not from when another event joins it: a hanging API costs each
id one deadline, not each event. What an event has waited for before, such as earlier events of its
key, counts too: it waits for one deadline in all, however many stand before it. Once
`EnrichmentSettings.lookups_in_flight` lookups hang, further ones fail at once. An old answer is
still returned while it is renewed, so a known name survives an outage, and a popular one costs no
event a wait. A failed lookup is not repeated for some seconds.

The reference table answers most questions (`processors.enrichment.names`); this memory holds what
the table does not have yet, or has no room for. Answers grow old at slightly different times, so
that those of one minute are not all renewed in another.
"""

import asyncio
from dataclasses import dataclass
from random import Random
from typing import Final, Generic, TypeVar

from processors.enrichment.cache import CacheEntry, RecentAnswers
from processors.enrichment.settings import EnrichmentSettings
from runtime.background_tasks import BackgroundTasks
from runtime.clock import Clock
from runtime.contracts import Lookup
from runtime.errors import ConfigurationError, TransientError

Key = TypeVar("Key")
Value = TypeVar("Value")

_failure_pause_s: Final = 5.0
"""A failed lookup is not repeated at once: a popular id would spend the budget alone."""

_renewals_in_flight: Final = 4
"""Renewals share the budget's queue with lookups that events wait for, and many answers grow old at
the same time."""


_jitter: Final = 0.1
"""Part of the time to live by which an answer may grow old earlier."""


class DeadlineError(TransientError):
    """There is no answer yet; the lookup continues."""


@dataclass(frozen=True, slots=True)
class _InFlight(Generic[Value]):
    answer: asyncio.Future[Value | None]
    started_s: float


class CachedLookup(Generic[Key, Value]):
    """A `runtime.contracts.Lookup` that caches another one.

    Lookups run in ``background``, which must be open.
    """

    def __init__(
        self,
        source: Lookup[Key, Value],
        settings: EnrichmentSettings,
        *,
        background: BackgroundTasks,
        clock: Clock,
        rng: Random,
    ) -> None:
        self._source = source
        self._settings = settings
        self._rng = rng
        self._background = background
        self._clock = clock
        self._answers = RecentAnswers[Key, Value](settings.cache_entries)
        self._flights: dict[Key, _InFlight[Value]] = {}
        self._renewals = 0

    def known(self, key: Key) -> CacheEntry[Value] | None:
        """Return an answer that needs no wait; an old one is renewed in the background."""
        entry = self._answers.get(key)
        if entry is None or entry.failure is not None:
            return None
        if self._is_fresh(entry):
            return entry
        if entry.value is None:
            return None
        if key not in self._flights and self._renewals < _renewals_in_flight:
            self._start(key, renewal=True)
        return entry

    async def get(
        self, key: Key, *, waited_s: float = 0.0, deadline_s: float | None = None
    ) -> Value | None:
        """Return the value, or None where it does not exist.

        ``waited_s`` is how long the caller has waited for other things; it counts too.
        ``deadline_s`` replaces that of the settings.

        Raises:
            DeadlineError: the lookup, or the caller's wait, reaches the deadline; it continues.
            TransientError: the source has no answer, or too many lookups are in flight.
            ConfigurationError: the source may not be asked.
        """
        if (entry := self.known(key)) is not None:
            return entry.value
        flight = self._flights.get(key) or self._begin(key)
        waited_s = max(waited_s, self._clock.monotonic_s() - flight.started_s)
        deadline_s = self._settings.deadline_s if deadline_s is None else deadline_s
        left_s = deadline_s - waited_s
        await asyncio.wait((flight.answer,), timeout=max(left_s, 0.0))
        if not flight.answer.done():
            raise DeadlineError(f"no answer in {deadline_s:g} s")
        return flight.answer.result()

    def _begin(self, key: Key) -> _InFlight[Value]:
        entry = self._answers.get(key)
        if entry is not None and entry.failure is not None and self._is_fresh(entry):
            raise entry.failure.with_traceback(None)
        if len(self._flights) >= self._settings.lookups_in_flight:
            raise TransientError("ZCC_ENRICHMENT_LOOKUPS_IN_FLIGHT lookups are under way")
        return self._start(key, renewal=False)

    def _is_fresh(self, entry: CacheEntry[Value]) -> bool:
        return self._clock.monotonic_s() < entry.fresh_until_s

    def _start(self, key: Key, *, renewal: bool) -> _InFlight[Value]:
        answer: asyncio.Future[Value | None] = asyncio.get_running_loop().create_future()
        flight = _InFlight(answer, self._clock.monotonic_s())
        self._flights[key] = flight
        self._renewals += renewal
        self._background.start(self._fetch(key, answer, renewal=renewal))
        return flight

    async def _fetch(
        self, key: Key, answer: asyncio.Future[Value | None], *, renewal: bool
    ) -> None:
        try:
            value = await self._source.get(key)
        except Exception as error:  # noqa: BLE001 - a defect too goes to the callers: in the task group it would end the worker
            if isinstance(error, TransientError | ConfigurationError):
                self._cool_down(key, error)
            answer.set_exception(error)
            answer.exception()  # retrieved, even without a waiting caller
        else:
            self._keep(key, value)
            answer.set_result(value)
        finally:
            del self._flights[key]
            self._renewals -= renewal

    def _keep(self, key: Key, value: Value | None) -> None:
        ttl_s = self._settings.absent_ttl_s if value is None else self._settings.cache_ttl_s
        ttl_s *= 1.0 - _jitter * self._rng.random()
        self._answers.put(key, CacheEntry(value, self._clock.monotonic_s() + ttl_s))

    def _cool_down(self, key: Key, failure: Exception) -> None:
        """Send no further lookup for a while; an old value stays valid as long."""
        until_s = self._clock.monotonic_s() + _failure_pause_s
        entry = self._answers.get(key)
        if entry is not None and entry.value is not None:
            self._answers.put(key, CacheEntry(entry.value, until_s))
        else:
            self._answers.put(key, CacheEntry(None, until_s, failure))
