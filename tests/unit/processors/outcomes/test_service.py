"""Each account is asked about its own engagements."""

from dataclasses import replace

from prometheus_client import REGISTRY

from processors.entities.settings import EventFieldSettings
from processors.outcomes.handler import OutcomeHandler
from processors.outcomes.parts import Part
from processors.outcomes.service import outcomes
from processors.outcomes.settings import OutcomeSettings
from runtime.values import Deferred, Delivery
from tests.support.engagement_api import EngagementApi
from zoom.client import ZoomClient


def ended(api: EngagementApi, account_id: str) -> Delivery:
    body = api.ended_body().replace(b"an-account", account_id.encode())
    headers = (("ce_type", b"contact_center.engagement_ended"), ("zcc-event-id", b"id"))
    key = f"{account_id}:E1".encode()
    return Delivery("zcc.engagement.v1", 0, 0, key, body, headers, 0, attempt=2)


async def topics(handler: OutcomeHandler, event: Delivery) -> list[str]:
    answer = await handler(event)
    records = answer.records if isinstance(answer, Deferred) else answer
    return [record.topic for record in records]


async def test_accounts_have_questions_of_their_own_and_keep_them() -> None:
    first, second = EngagementApi(), EngagementApi()
    clients: dict[str, ZoomClient] = {"first": first.client, "second": second.client}
    settings = OutcomeSettings(parts=("survey",))
    async with outcomes(
        clients.get, settings, EventFieldSettings(), topic_prefix="zcc", clock=first.clock
    ) as opened:
        handler = opened.handler
        published = ["zcc.engagement-outcome.v1", "zcc.enriched.engagement.v1"]
        assert await topics(handler, ended(first, "first")) == published
        assert (first.calls, second.calls) == ([Part.DETAILS, Part.SURVEY], [])
        assert await topics(handler, ended(second, "second")) == published
        assert second.calls == [Part.DETAILS, Part.SURVEY]
        assert await topics(handler, ended(first, "third")) == []

        clients["first"] = second.client  # the account went, and came back
        again = replace(ended(first, "first"), key=b"another engagement")
        assert await topics(handler, again) == published
        assert len(second.calls) == 4


async def test_calls_have_the_priority_of_outcomes() -> None:
    def used(priority: str) -> float:
        labels = {"label": "LIGHT", "priority": priority, "account": ""}
        return REGISTRY.get_sample_value("zcc_zoom_budget_used_total", labels) or 0.0

    api = EngagementApi()
    before = used("outcomes"), used("enrichment")
    async with outcomes(
        {"an-account": api.client}.get,
        OutcomeSettings(parts=()),
        EventFieldSettings(),
        topic_prefix="zcc",
        clock=api.clock,
    ) as opened:
        await topics(opened.handler, ended(api, "an-account"))
    assert (used("outcomes"), used("enrichment")) == (before[0] + 1, before[1])
