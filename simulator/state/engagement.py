"""Pure: the state of one engagement; `simulator.state.reducer` applies events to it."""

from dataclasses import dataclass, field
from datetime import datetime

from simulator.rest.documents import Document
from simulator.state.durations import Durations

FactsById = dict[str, dict[str, object]]
"""Facts by id, in the order of the ids' first events."""


@dataclass(slots=True)
class Engagement:
    """The state of an engagement. Times are epoch milliseconds, except ``shown_from``.

    ``facts`` are members of its events under their names there, the newest of each. ``shown_from``
    is the time, by the clock of applied events, from which its details are available; None where it
    is unknown. ``closed_ms`` is when its last task ended. ``cached_items`` are
    documents by operation; every change clears them.
    """

    engagement_id: str
    start_ms: int
    end_ms: int | None = None
    shown_from: datetime | None = None
    facts: dict[str, object] = field(default_factory=dict)
    durations: Durations = field(default_factory=Durations)
    channels: FactsById = field(default_factory=dict)
    consumers: FactsById = field(default_factory=dict)
    flows: FactsById = field(default_factory=dict)
    queues: FactsById = field(default_factory=dict)
    agents: FactsById = field(default_factory=dict)
    dispositions: FactsById = field(default_factory=dict)
    notes: FactsById = field(default_factory=dict)
    follow_up_tasks: FactsById = field(default_factory=dict)
    recordings: FactsById = field(default_factory=dict)
    voicemails: FactsById = field(default_factory=dict)
    files: FactsById = field(default_factory=dict)
    messages: list[dict[str, object]] = field(default_factory=list)
    events: list[dict[str, object]] = field(default_factory=list)
    recorder: list[dict[str, object]] = field(default_factory=list)
    transcript_url: object = None
    survey_status: str = ""
    survey_answers: dict[str, str] = field(default_factory=dict)
    transfers: int = 0
    monitored: bool = False
    cached_items: dict[str, Document] = field(default_factory=dict)
    closed_ms: int | None = None

    @property
    def is_voice(self) -> bool:
        """Whether it is a conversation by voice."""
        return not {"voice", "video"}.isdisjoint(self.channels)

    def is_shown(self, now: datetime) -> bool:
        """Return whether the details are available at this time."""
        return self.shown_from is not None and now >= self.shown_from
