"""One scenario while it runs: its clock, its known facts, its emitted events."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

from simulator.company import Company, CompanyUser
from simulator.payloads import payload_object, render
from simulator.synthetic_values import to_the_millisecond, to_the_second, uuid

longest_lag_ms: Final = 50
"""The largest lag of ``event_ts`` behind the time of occurrence."""

shortest_step_ms: Final = 60
"""More than the lag, so that ``event_ts`` rises through a scenario as ``date_time_ms`` does."""

longest_step_ms: Final = 300


@dataclass(frozen=True, slots=True)
class StoryEvent:
    """One webhook body, as sent.

    ``offset_ms`` is when Zoom would send it, milliseconds since the requested ``start``: ``start``
    plus ``offset_ms`` is its ``event_ts``. ``scenario`` is kind and number: ``chat-17``.
    """

    event: str
    offset_ms: int
    body: bytes
    scenario: str


@dataclass(slots=True)
class Rota:
    """The users available for shifts, in turn, each with the time from which they are free.

    So two scenarios of one user's presence never overlap, and no two events are the same: all other
    scenarios have ids of their own.
    """

    free: deque[tuple[int, CompanyUser]]

    def take(self, scenario: "Scenario") -> CompanyUser:
        """Return the user who has been free longest, once they are free."""
        free_from_ms, user = self.free.popleft()
        scenario.wait_until(free_from_ms)
        return user

    def give_back(self, scenario: "Scenario", user: CompanyUser) -> None:
        """Make the user available again, after the last event of this scenario."""
        self.free.append((scenario.now_ms + longest_step_ms, user))


class Scenario:
    """Emits events of a company; ``number`` is unique in the schedule.

    ``origin_ms`` is the start of the schedule and ``begin_ms`` that of the scenario, epoch
    milliseconds.
    """

    def __init__(
        self,
        company: Company,
        *,
        number: int,
        rng: Random,
        rota: Rota,
        origin_ms: int,
        begin_ms: int,
    ) -> None:
        self.company = company
        self.number = number
        self.rng = rng
        self.rota = rota
        self.now_ms = begin_ms
        self.known: dict[str, object] = {}
        self._origin_ms = origin_ms
        self._emitted: list[tuple[str, int, bytes]] = []

    def set_facts(self, **facts: object) -> None:
        """Set facts for all later events; None removes one."""
        self.known.update(facts)

    def wait(self, min_s: float, max_s: float) -> None:
        """Advance the clock."""
        self.now_ms += round(self.rng.uniform(min_s, max_s) * 1000)

    def wait_until(self, moment_ms: int) -> None:
        """Advance the clock to this time, unless it has passed."""
        self.now_ms = max(self.now_ms, moment_ms)

    def emit(self, event: str, /, **facts: object) -> None:
        """Emit an event, named without ``contact_center.``.

        ``facts`` apply to this event alone; its schema must have members of their names.

        Raises:
            ValueError: a required member cannot hold its value: a mistake in the scenario.
        """
        self.now_ms += self.rng.randint(shortest_step_ms, longest_step_ms)
        event_ts_ms = self.now_ms + self.rng.randrange(longest_lag_ms)
        name = f"contact_center.{event}"
        entity = payload_object(name, facts=facts, known=self.known | self._now(), rng=self.rng)
        body = render(
            name,
            event_ts_ms=event_ts_ms,
            account_id=self.company.account_id,
            entity=entity,
            rng=self.rng,
        )
        self._emitted.append((name, event_ts_ms - self._origin_ms, body))

    def events(self, kind: str) -> Sequence[StoryEvent]:
        """Return the emitted events, in order."""
        title = f"{kind}-{self.number}"
        return [
            StoryEvent(event, offset_ms, body, title) for event, offset_ms, body in self._emitted
        ]

    def _now(self) -> dict[str, object]:
        exact, whole = to_the_millisecond(self.now_ms), to_the_second(self.now_ms)
        return {
            "date_time_ms": exact,
            "date_time": whole,
            "last_modified_time_ms": exact,
            "last_modified_time": whole,
        }


Scene = Callable[[Scenario], None]
"""A scenario, or a part of one."""


def play(scenario: Scenario, scenes: Sequence[Scene]) -> None:
    """Run scenes one after the other, with a pause before each."""
    for scene in scenes:
        scenario.wait(2, 20)
        scene(scenario)


def commanded(scenario: Scenario, command: str) -> None:
    """Have another program send a call control command.

    Later events of the task may carry its ``request_id`` too.
    """
    scenario.set_facts(request_id=uuid(scenario.rng))
    scenario.emit(f"call_control_{command}_executed")
