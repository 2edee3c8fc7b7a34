"""Schedules scenarios: a first round with every event, then the mix of a working day.

The scenarios of the first round begin shortly after one another; the working day begins when the
last of them has ended. So the first events of a stream hold every kind. From then on scenarios
begin at random times, by their weights, and many run at once.
"""

import heapq
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from itertools import count as numbers
from itertools import islice
from random import Random
from typing import Final

from simulator.company import Company
from simulator.stories.call_scenes import digits_sent, held, monitored, muted, taken_over
from simulator.stories.conference import conference
from simulator.stories.desk import (
    email_answered,
    voicemail,
    voicemail_after_agent,
    work_item_canceled,
    work_item_done,
)
from simulator.stories.engagement import after_work, refusals, surveyed
from simulator.stories.messaging import (
    chat,
    long_chat,
    text_messages,
    upgraded_chat,
    whatsapp_messages,
)
from simulator.stories.people import employment, shift
from simulator.stories.recording import recording_deleted, recording_paused
from simulator.stories.scenario import Rota, Scenario, Scene, StoryEvent, longest_lag_ms
from simulator.stories.setup import (
    asset_lifetime,
    business_hours_lifetime,
    closures_lifetime,
    queue_lifetime,
    team_lifetime,
)
from simulator.stories.transfer import returned_transfer_scenes, transfer_scenes
from simulator.stories.voice import (
    abandoned_call,
    call_answered_by_command,
    call_made_by_command,
    campaign_call,
    inbound_call,
    ordinary_call,
    outbound_call,
    scheduled_callback,
    unanswered_call,
    unreached_campaign_call,
    upgraded_call,
    video_call,
)

Kind = tuple[str, Scene]

first_gap_ms: Final = 1_000
first_round_events: Final = 600
"""The first events of this number include every kind."""
mean_gap_ms: Final = 1_500
mean_events_per_s: Final = 14.0
"""Events per second of the company's time."""

_filling: Final = timedelta(minutes=2)
"""A working day begins with few running scenarios, so its rate is below the mean for this long."""

first_round: Final[Sequence[Kind]] = (
    (
        "call",
        partial(
            inbound_call,
            refusals=refusals,
            scenes=(held, muted, digits_sent, recording_paused, partial(monitored, how="barge")),
            work=after_work,
            afterwards=(surveyed, recording_deleted),
        ),
    ),
    ("taken-over-call", partial(inbound_call, scenes=(taken_over,))),
    ("transferred-call", partial(inbound_call, scenes=transfer_scenes[:3])),
    ("returned-call", partial(inbound_call, scenes=returned_transfer_scenes[1:4])),
    (
        "conference-call",
        partial(
            inbound_call,
            scenes=(
                partial(conference, answers=("rejected", "joined")),
                partial(conference, answers=("timeout", "canceled")),
            ),
        ),
    ),
    ("abandoned-call", abandoned_call),
    ("unanswered-call", unanswered_call),
    ("commanded-call", call_made_by_command),
    ("command-answered-call", call_answered_by_command),
    ("campaign-call", campaign_call),
    ("callback", scheduled_callback),
    ("upgraded-call", upgraded_call),
    ("chat", long_chat),
    ("sms", text_messages),
    ("email", email_answered),
    ("work-item", work_item_done),
    ("voicemail", voicemail_after_agent),
    ("shift", shift),
    ("employment", employment),
    ("queue", queue_lifetime),
    ("team", team_lifetime),
    ("business-hours", business_hours_lifetime),
    ("closures", closures_lifetime),
    ("asset", asset_lifetime),
)

working_day: Final[Mapping[Kind, float]] = {
    ("call", ordinary_call): 50,
    ("abandoned-call", abandoned_call): 9,
    ("outbound-call", outbound_call): 9,
    ("unanswered-call", unanswered_call): 3,
    ("campaign-call", campaign_call): 3,
    ("unreached-campaign-call", unreached_campaign_call): 6,
    ("commanded-call", call_made_by_command): 0.5,
    ("command-answered-call", call_answered_by_command): 0.5,
    ("callback", scheduled_callback): 0.8,
    ("video-call", video_call): 1,
    ("upgraded-call", upgraded_call): 0.5,
    ("chat", chat): 8,
    ("long-chat", long_chat): 0.5,
    ("upgraded-chat", upgraded_chat): 0.5,
    ("sms", text_messages): 4,
    ("whatsapp", whatsapp_messages): 2,
    ("email", email_answered): 4,
    ("work-item", work_item_done): 2,
    ("canceled-work-item", work_item_canceled): 0.3,
    ("voicemail", voicemail): 2,
    ("shift", shift): 2,
    ("employment", employment): 0.15,
    ("queue", queue_lifetime): 0.1,
    ("team", team_lifetime): 0.1,
    ("business-hours", business_hours_lifetime): 0.05,
    ("closures", closures_lifetime): 0.05,
    ("asset", asset_lifetime): 0.1,
}
"""The relative frequency of each kind: calls are more frequent than configuration changes."""

_people_bound: Final = frozenset({"shift"})
"""Kinds that wait for one of the company's people: a busier day has no more of them."""


def stories(company: Company, *, seed: int, start: datetime) -> Iterator[Sequence[StoryEvent]]:
    """Yield scenarios without end, in the order of their starts; the first round has all events.

    The same arguments give the same bodies. ``start`` is aware.
    """
    yield from (events for _, events in _generate(company, seed=seed, start=start))


def event_stream(
    company: Company,
    *,
    seed: int,
    start: datetime,
    count: int | None,
    density: float = 1.0,
) -> Iterator[StoryEvent]:
    """Yield the events of all scenarios in order of time, the first ``count`` or without end.

    No two are the same event. From a ``count`` of 600 on, every kind of event is among them.
    Scenarios that run at the end are not completed. ``density`` multiplies the events of the
    working day.
    """
    return islice(_merged(_generate(company, seed=seed, start=start, density=density)), count)


def live_stream(
    company: Company, *, seed: int, now: datetime, count: int | None, rate_per_s: float
) -> Iterator[StoryEvent]:
    """Yield the events of a stream that is sent from ``now`` on at a rate; 0 = as fast as taken.

    Its last event happens when it is due. A stream without end keeps pace with the clock after its
    first round.
    """
    density = rate_per_s / mean_events_per_s if count is None and rate_per_s else 1.0
    stories = partial(event_stream, company, seed=seed, density=density)
    sent_early = first_round_events if count is None else count
    length = timedelta(milliseconds=_last_ms(stories(start=now, count=sent_early)))
    sending = timedelta(seconds=sent_early / rate_per_s if rate_per_s else 0.0)
    early = length - sending + (_filling if count is None else timedelta(0))
    return stories(start=now - max(timedelta(0), early), count=count)


def _last_ms(events: Iterator[StoryEvent]) -> int:
    return max((event.offset_ms for event in events), default=0)


def _merged(stories: Iterator[tuple[int, Sequence[StoryEvent]]]) -> Iterator[StoryEvent]:
    """Merge scenarios, each given with the time before which it has no event, rising."""
    waiting: list[tuple[int, int, StoryEvent]] = []
    added = numbers()
    for begin_ms, events in stories:
        while waiting and waiting[0][0] < begin_ms:
            yield heapq.heappop(waiting)[2]
        for event in events:
            heapq.heappush(waiting, (event.offset_ms, next(added), event))


def _generate(
    company: Company, *, seed: int, start: datetime, density: float = 1.0
) -> Iterator[tuple[int, Sequence[StoryEvent]]]:
    origin_ms = round(start.timestamp() * 1000)
    rng = Random(f"programme {seed}")
    rota = Rota(deque((origin_ms, user) for user in company.users))
    kinds = list(working_day)
    weights = [
        weight / max(1.0, density) if name in _people_bound else weight
        for (name, _), weight in working_day.items()
    ]
    begin_ms = round_end_ms = origin_ms
    for number in numbers():
        if number < len(first_round):
            name, emit = first_round[number]
        else:
            begin_ms = max(begin_ms, round_end_ms)
            name, emit = rng.choices(kinds, weights)[0]
        scenario = Scenario(
            company,
            number=number,
            rng=Random(f"story {seed} {number}"),
            rota=rota,
            origin_ms=origin_ms,
            begin_ms=begin_ms,
        )
        emit(scenario)
        yield begin_ms - origin_ms, scenario.events(name)
        if number < len(first_round):
            round_end_ms = max(round_end_ms, scenario.now_ms + longest_lag_ms)
            begin_ms += first_gap_ms
        else:
            begin_ms += round(rng.expovariate(density / mean_gap_ms))
