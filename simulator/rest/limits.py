"""The API's rate limits, and its usage.

Source: Zoom API rate limits: per account and label, in each second and in each UTC day.
"""

from collections import Counter, deque
from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Final

from simulator.clock import SimulatorClock
from simulator.rest.documents import ApiError
from simulator.settings import SimulatorSettings
from zoom.catalogue import Operation

Label = str

second_code: Final = 4001
general_code: Final = 429
max_seconds: Final = 900
"""Remembered seconds of usage."""


class CallCounter:
    """Counts requests per label within each second and each day of the wall clock."""

    def __init__(self, settings: SimulatorSettings, clock: SimulatorClock) -> None:
        self._per_s: Mapping[Label, int] = {
            "LIGHT": settings.rest_light_per_s,
            "MEDIUM": settings.rest_medium_per_s,
            "HEAVY": settings.rest_heavy_per_s,
        }
        self._per_day: Mapping[Label, int] = {
            "LIGHT": settings.rest_light_per_day,
            "MEDIUM": settings.rest_medium_per_day,
            "HEAVY": settings.rest_heavy_per_day,
        }
        self._clock = clock
        self._seconds: deque[tuple[int, Counter[Label]]] = deque([(0, Counter())], max_seconds)
        self._day = clock.now().date()
        self._of_day: Counter[Label] = Counter()
        self._refused: Counter[Label] = Counter()
        self._operations: Counter[str] = Counter()

    def take(self, operation: Operation) -> None:
        """Count one request.

        Raises:
            ApiError: 429: the limit of the second, or of the day, is used up.
        """
        label = operation.label.value
        counts = self._counts_of_now()
        counts[label] += 1
        self._of_day[label] += 1
        self._operations[operation.name] += 1
        if self._per_day[label] and self._of_day[label] > self._per_day[label]:
            raise self.daily_refusal(operation)
        if counts[label] > self._per_s[label]:
            raise self.refusal(operation)

    def refusal(self, operation: Operation | None) -> ApiError:
        """Return a 429 with the time of the next second; None: of no operation."""
        if operation is not None:
            self._refused[operation.label.value] += 1
        reset = int(self._clock.now().timestamp()) + 1
        headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(reset)}
        documented = operation is not None and second_code in operation.errors.get(429, ())
        code = second_code if documented else general_code
        return ApiError(429, code, "too many requests in this second", headers)

    def daily_refusal(self, operation: Operation | None) -> ApiError:
        """Return a 429 with the time of the next day; None: of no operation."""
        limit = 0
        if operation is not None:
            label = operation.label.value
            self._refused[label] += 1
            limit = self._per_day[label] or self._of_day[label]
        tomorrow = self._clock.now().astimezone(UTC).date() + timedelta(days=1)
        headers = {
            "X-RateLimit-Type": "Daily-limit",
            "X-RateLimit-Limit": str(limit),
            "X-RateLimit-Remaining": "0",
            "Retry-After": f"{datetime.combine(tomorrow, time.min):%Y-%m-%dT%H:%M:%SZ}",
        }
        return ApiError(429, general_code, "too many requests on this day", headers)

    def headers(self, operation: Operation) -> dict[str, str]:
        """Return the headers of the limit."""
        label = operation.label.value
        limit = self._per_s[label]
        return {
            "X-RateLimit-Category": label.capitalize(),
            "X-RateLimit-Type": "QPS",
            "X-RateLimit-Limit": str(limit),
            "X-RateLimit-Remaining": str(max(0, limit - self._seconds[-1][1][label])),
        }

    def usage(self) -> Mapping[str, object]:
        """Return the requests of the last seconds by label and Unix second, and all totals."""
        return {
            "seconds": {
                label: {
                    str(second): counts[label] for second, counts in self._seconds if counts[label]
                }
                for label in self._per_s
            },
            "day": dict(self._of_day),
            "refused": dict(self._refused),
            "operations": dict(self._operations),
        }

    def _counts_of_now(self) -> Counter[Label]:
        now = self._clock.now().astimezone(UTC)
        if now.date() != self._day:
            self._day = now.date()
            self._of_day.clear()
        second = int(now.timestamp())
        if second != self._seconds[-1][0]:
            self._seconds.append((second, Counter()))
        return self._seconds[-1][1]
