"""An account whose stories were told, and its REST API without the wire.

The company, its events and what its API answers after them are made once per process, as they
cost most of the time; a test that changes an account makes one of its own.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import islice
from typing import Any

import orjson

from simulator.company import Company, make_company
from simulator.rest.answers import Listing, QueryValue, RestRequest, TimeSpan
from simulator.rest.documents import ApiError
from simulator.state import State, apply_events, state_answers
from simulator.stories import StoryEvent, event_stream
from zoom.catalogue import find

START = datetime(2025, 3, 1, 8, tzinfo=UTC)
LATER = START + timedelta(hours=6)


@cache
def the_company() -> Company:
    """The company of seed 1; it cannot be changed."""
    return make_company(1)


_events: list[StoryEvent] = []


@cache
def _stream() -> Iterator[StoryEvent]:
    return event_stream(the_company(), seed=1, start=START, count=None)


def first_events(count: int) -> Sequence[StoryEvent]:
    """The first events of seed 1 that begin at `START`; a longer stream begins with a shorter."""
    _events.extend(islice(_stream(), max(0, count - len(_events))))
    return _events[:count]


@cache
def account_after(count: int) -> "SimulatedAccount":
    """An account that heard so many events; for questions alone, as all tests share it."""
    account = SimulatedAccount()
    account.play(count)
    return account


class SimulatedAccount:
    """Every event is heard at `START`; questions are asked at `LATER` unless they say when."""

    def __init__(self, *, details_delay_s: float = 10.0, max_engagements: int = 2_000) -> None:
        self.company: Company = the_company()
        self.state = State(
            self.company, max_engagements=max_engagements, details_delay_s=details_delay_s
        )
        self.answers = state_answers(self.state)

    def play(self, count: int) -> Sequence[StoryEvent]:
        """Let that many events happen and return them."""
        return list(apply_events(self.state, iter(first_events(count)), lambda: START))

    def happened(
        self, event: str, /, *, at_s: float = 0.0, now: datetime = START, **facts: Any
    ) -> None:
        """Let one event happen, so many seconds after `START`."""
        moment = START + timedelta(seconds=at_s)
        date_time_ms = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        body = {
            "event": f"contact_center.{event}",
            "event_ts": round(moment.timestamp() * 1000),
            "payload": {
                "account_id": self.company.account_id,
                "object": {"date_time_ms": date_time_ms, **facts},
            },
        }
        self.state.happened(orjson.loads(orjson.dumps(body)), now)

    def request(
        self,
        operation_name: str,
        /,
        *,
        now: datetime = LATER,
        body: object = None,
        query: Mapping[str, QueryValue] | None = None,
        spans: Mapping[str, TimeSpan] | None = None,
        **path: str,
    ) -> RestRequest:
        """Build a request of an operation."""
        return RestRequest(
            operation=find(operation_name),
            path=path,
            query=query or {},
            body=body,
            now=now,
            origin="http://127.0.0.1:1",
            spans=spans or {},
        )

    def get(self, operation_name: str, /, **question: Any) -> dict[str, Any]:
        """Ask for one document; parameters as for `request`."""
        answer = self.answers[operation_name](self.request(operation_name, **question))
        assert isinstance(answer, dict)
        return answer

    def list(self, operation_name: str, /, **question: Any) -> list[dict[str, Any]]:
        """Ask for all items of a list; parameters as for `request`."""
        return list(self.listing(operation_name, **question).items)

    def listing(self, operation_name: str, /, **question: Any) -> Listing:
        """Request a list with the members next to its items; parameters as for `request`."""
        answer = self.answers[operation_name](self.request(operation_name, **question))
        assert isinstance(answer, Listing)
        return answer

    def write(self, operation_name: str, /, **question: Any) -> None:
        """Ask for a change that has no answer; parameters as for `request`."""
        assert self.answers[operation_name](self.request(operation_name, **question)) is None

    def refusal(self, operation_name: str, /, **question: Any) -> tuple[int, object]:
        """Ask for what is refused and return status and code; parameters as for `request`."""
        try:
            self.answers[operation_name](self.request(operation_name, **question))
        except ApiError as error:
            return error.status, error.document["code"]
        raise AssertionError(f"{operation_name} was answered")
