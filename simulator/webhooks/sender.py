"""Delivers events as Zoom does: bounded, retried, at times twice or late.

One loop takes due items from the send queue as soon as a connection is free, and starts one task
per delivery. A notification whose delivery fails goes back to the queue until its retry is due, so
any number may wait at the cost of memory alone.
"""

import asyncio
import hashlib
import random
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from simulator.clock import SimulatorClock
from simulator.settings import SimulatorSettings
from simulator.stories import StoryEvent
from simulator.webhooks.endpoint import Endpoint, request_id_of
from simulator.webhooks.identity import event_id, event_ts_ms, variant_with_other_links
from simulator.webhooks.ledger import LedgerEntry, LedgerWriter
from simulator.webhooks.retry_schedule import Answer, Outcome, outcome_of, retry_delay_s
from simulator.webhooks.send_queue import SendQueue

_lateness_s: Final = (1.0, 90.0)
"""Zoom's seconds by which an event may be late; observed pairs were inverted by up to 90."""

_late_duplicate_s: Final = (60.0, 600.0)
"""Zoom's seconds from an event to a late duplicate."""


@dataclass(frozen=True, slots=True)
class Notification:
    """One notification of an event, with the answers to its deliveries so far."""

    event: str
    event_id: str
    request_id: str
    body: bytes
    duplicate: bool
    first_sent_at: datetime | None = None
    answers: tuple[Answer, ...] = ()


def notifications_of(
    event: StoryEvent, settings: SimulatorSettings, rng: random.Random
) -> list[tuple[float, Notification]]:
    """Return the notifications of an event: (real seconds of delay, notification), one or two.

    A duplicate has its own request id and, where the event has links, other links. It is sent at
    the same time as the first, or minutes of Zoom's time later.
    """
    identity = event_id(event.body)
    delay_s = 0.0
    if rng.random() < settings.reorder:
        delay_s = rng.uniform(*_lateness_s) / settings.time_scale
    first = Notification(
        event.event, identity, _request_id(identity, 1), event.body, duplicate=False
    )
    sends = [(delay_s, first)]
    if rng.random() < settings.duplicates:
        later_s = rng.choice((0.0, rng.uniform(*_late_duplicate_s))) / settings.time_scale
        second = replace(
            first,
            request_id=_request_id(identity, 2),
            body=variant_with_other_links(event.body),
            duplicate=True,
        )
        sends.append((delay_s + later_s, second))
    return sends


class WebhookSender:
    """Delivers all events of a source, each to its outcome, and none before it has happened."""

    def __init__(
        self,
        endpoint: Endpoint,
        settings: SimulatorSettings,
        ledger: LedgerWriter,
        *,
        clock: SimulatorClock,
        rng: random.Random,
    ) -> None:
        self._endpoint = endpoint
        self._settings = settings
        self._ledger = ledger
        self._clock = clock
        self._chance = rng
        self._free = asyncio.Semaphore(settings.connections)
        self._changed = asyncio.Event()
        self._reached_s = float("-inf")

    async def deliver_all(self, events: Iterator[StoryEvent]) -> None:
        """Return when every event has an outcome. After a cancellation some have none."""
        send_queue = SendQueue(
            (self._notifications(event) for event in events),
            rate_per_s=self._settings.rate_per_s,
            start_s=self._clock.monotonic_s(),
            reached_s=lambda: self._reached_s,
        )
        async with asyncio.TaskGroup() as group:
            while True:
                await self._free.acquire()
                notification = await self._next(send_queue)
                if notification is None:
                    return
                group.create_task(self._attempt(notification, send_queue))

    def _notifications(self, event: StoryEvent) -> list[tuple[float, Notification]]:
        sent = notifications_of(event, self._settings, self._chance)
        self._ledger.opened(event.event, sent[0][1].event_id, notifications=len(sent))
        ahead_s = self._ahead_s(event)
        return [(ahead_s + delay_s, notification) for delay_s, notification in sent]

    def _ahead_s(self, event: StoryEvent) -> float:
        """Return how far in the future the event is; later ones are not read before then."""
        happens_s = event_ts_ms(event.body) / 1000
        ahead_s = max(0.0, happens_s - self._clock.now().timestamp())
        self._reached_s = self._clock.monotonic_s() + ahead_s
        return ahead_s

    async def _next(self, send_queue: SendQueue[Notification]) -> Notification | None:
        while True:
            now_s = self._clock.monotonic_s()
            notification = send_queue.take(now_s)
            if notification is not None or send_queue.finished:
                return notification
            self._changed.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(send_queue.wait_s(now_s)):
                    await self._changed.wait()

    async def _attempt(
        self, notification: Notification, send_queue: SendQueue[Notification]
    ) -> None:
        sent_at = notification.first_sent_at or self._clock.now()
        answer = await self._endpoint.deliver(notification.body, request_id=notification.request_id)
        answers = (*notification.answers, answer)
        self._ledger.attempted(attempt=len(answers))
        sent = replace(notification, first_sent_at=sent_at, answers=answers)
        outcome = outcome_of(answer, attempts=len(answers))
        if outcome is None:
            wait_s = retry_delay_s(attempts=len(answers), time_scale=self._settings.time_scale)
            send_queue.add(sent, due_s=self._clock.monotonic_s() + wait_s)
        else:
            self._ledger.closed(self._entry(sent, sent_at, outcome))
        send_queue.settled()
        self._free.release()
        self._changed.set()

    def _entry(self, sent: Notification, sent_at: datetime, outcome: Outcome) -> LedgerEntry:
        return LedgerEntry(
            event=sent.event,
            event_id=sent.event_id,
            request_id=sent.request_id,
            duplicate=sent.duplicate,
            attempts=len(sent.answers),
            statuses=sent.answers,
            outcome=outcome,
            first_sent_at=sent_at.isoformat(),
            accepted_at=self._clock.now().isoformat() if outcome is Outcome.ACCEPTED else None,
        )


def _request_id(identity: str, notification: int) -> str:
    """Derive the id, so that a run can be repeated and no two events share one."""
    return request_id_of(hashlib.sha256(f"{identity}:{notification}".encode()).digest()[:16])
