"""Pure: how long an engagement was in each phase, measured by its events.

The conversation of a call begins with the answer; that of a text, mail or work item with the
assignment of an agent. A hold interrupts it. Only the wrap-up continues after the end.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Final, Literal

Phase = Literal["flow", "waiting", "conversation", "hold", "wrap_up"]

begins: Final[Mapping[str, Phase]] = {
    "engagement_started": "flow",
    "task_entered_queue": "waiting",
    "engagement_user_answered": "conversation",
    "engagement_consumer_answered": "conversation",
    "engagement_user_hold": "hold",
    "engagement_wrap_up_started": "wrap_up",
}
"""The phase that begins with an event, named without ``contact_center.``."""

assigned: Final = "assigned"
"""The event ``task_updated`` with this status begins a conversation in writing."""

finishes: Final[Mapping[str, tuple[Phase, ...]]] = {
    "task_created": ("flow",),
    "task_exited_queue": ("waiting",),
    "task_reservation_accepted": ("waiting",),
    "task_deleted": ("waiting",),
    "engagement_user_answered": ("waiting",),
    "engagement_user_unhold": ("hold",),
    "engagement_user_ended": ("conversation", "hold"),
    "engagement_consumer_ended": ("conversation", "hold", "waiting"),
    "engagement_wrap_up_ended": ("wrap_up",),
}
"""The phases that end with an event."""

ends_with_engagement: Final[tuple[Phase, ...]] = ("flow", "waiting", "conversation", "hold")


class Durations:
    """Milliseconds by phase, and how often each began. Times are epoch milliseconds."""

    def __init__(self) -> None:
        self.began: Counter[Phase] = Counter()
        self._total_ms: Counter[Phase] = Counter()
        self._since_ms: dict[Phase, int] = {}
        self._end = False

    def __getitem__(self, phase: Phase) -> int:
        """Return the total duration of a phase, without a present one."""
        held_ms = self._total_ms["hold"] if phase == "conversation" else 0
        return max(0, self._total_ms[phase] - held_ms)

    @property
    def handling_ms(self) -> int:
        """The working time on it."""
        return self["conversation"] + self["hold"] + self["wrap_up"]

    def in_progress(self, phase: Phase) -> bool:
        """Return whether a phase has begun and not ended."""
        return phase in self._since_ms

    def apply(self, event: str, *, at_ms: int, task_status: object, is_voice: bool) -> None:
        """Apply an event."""
        for phase in finishes.get(event, ()):
            self._finish(phase, at_ms)
        begun = begins.get(event)
        if event == "task_updated" and task_status == assigned:
            self._finish("waiting", at_ms)
            begun = None if is_voice else "conversation"
        if begun is not None and (begun == "wrap_up" or not self._end):
            self._begin(begun, at_ms)

    def over(self, at_ms: int) -> None:
        """Apply the end."""
        self._end = True
        for phase in ends_with_engagement:
            self._finish(phase, at_ms)

    def _begin(self, phase: Phase, at_ms: int) -> None:
        if phase not in self._since_ms:
            self._since_ms[phase] = at_ms
            self.began[phase] += 1

    def _finish(self, phase: Phase, at_ms: int) -> None:
        if phase in self._since_ms:
            self._total_ms[phase] += at_ms - self._since_ms.pop(phase)
