"""An account whose stories were told, and its REST API without the wire."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
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


class SimulatedAccount:
    """Every event is heard at `START`; questions are asked at `LATER` unless they say when."""

    def __init__(self, *, details_delay_s: float = 10.0, max_engagements: int = 2_000) -> None:
        self.company: Company = make_company(1)
        self.state = State(
            self.company, max_engagements=max_engagements, details_delay_s=details_delay_s
        )
        self.answers = state_answers(self.state)

    def play(self, count: int, *, seed: int = 1) -> Sequence[StoryEvent]:
        """Let that many events happen and return them."""
        events = event_stream(self.company, seed=seed, start=START, count=count)
        return list(apply_events(self.state, events, lambda: START))

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
        """Make a question about what stands in the path."""
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
        said = self.answers[operation_name](self.request(operation_name, **question))
        assert isinstance(said, dict)
        return said

    def list(self, operation_name: str, /, **question: Any) -> list[dict[str, Any]]:
        """Ask for all items of a list; parameters as for `request`."""
        return list(self.listing(operation_name, **question).items)

    def listing(self, operation_name: str, /, **question: Any) -> Listing:
        """Ask for a list with what stands beside its items; parameters as for `request`."""
        said = self.answers[operation_name](self.request(operation_name, **question))
        assert isinstance(said, Listing)
        return said

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
