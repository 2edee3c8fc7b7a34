"""Pure: what is known of one engagement; `simulator.state.reducer` learns it from events."""

from dataclasses import dataclass, field
from datetime import datetime

from simulator.rest.documents import Document
from simulator.state.durations import Durations

Found = dict[str, dict[str, object]]
"""Facts by id, in the order in which the ids were first told."""


@dataclass(slots=True)
class Engagement:
    """What is known of an engagement. Times are epoch milliseconds, ``shown_from`` is none of them.

    ``facts`` are members of its events under their names there, the newest of each.
    ``shown_from`` is the moment, of the clock that events are heard by, from which its details are
    there; None: nobody knows yet. ``closed_ms`` is when its last task ended. ``said`` holds
    documents made of it, by operation; whoever changes anything clears it.
    """

    engagement_id: str
    start_ms: int
    end_ms: int | None = None
    shown_from: datetime | None = None
    facts: dict[str, object] = field(default_factory=dict)
    durations: Durations = field(default_factory=Durations)
    channels: Found = field(default_factory=dict)
    consumers: Found = field(default_factory=dict)
    flows: Found = field(default_factory=dict)
    queues: Found = field(default_factory=dict)
    agents: Found = field(default_factory=dict)
    dispositions: Found = field(default_factory=dict)
    notes: Found = field(default_factory=dict)
    follow_up_tasks: Found = field(default_factory=dict)
    recordings: Found = field(default_factory=dict)
    voicemails: Found = field(default_factory=dict)
    files: Found = field(default_factory=dict)
    messages: list[dict[str, object]] = field(default_factory=list)
    events: list[dict[str, object]] = field(default_factory=list)
    recorder: list[dict[str, object]] = field(default_factory=list)
    transcript_url: object = None
    survey_status: str = ""
    survey_answers: dict[str, str] = field(default_factory=dict)
    transfers: int = 0
    monitored: bool = False
    said: dict[str, Document] = field(default_factory=dict)
    closed_ms: int | None = None

    @property
    def spoken(self) -> bool:
        """Whether people hear each other."""
        return not {"voice", "video"}.isdisjoint(self.channels)

    def is_shown(self, now: datetime) -> bool:
        """Tell whether the details are there at this moment."""
        return self.shown_from is not None and now >= self.shown_from
