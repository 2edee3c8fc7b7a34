"""Pure: logs and reports as documents, computed from engagements and from users' activity."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import cast

from simulator.rest.answers import Answer, Listing, RestRequest
from simulator.rest.documents import ApiError
from simulator.state.engagement import Engagement
from simulator.state.engagement_words import (
    abandoned,
    agent_facts,
    engagement_facts,
    times,
    v2_facts,
)
from simulator.state.engagements import cached_item, shown_engagements
from simulator.state.lists import filtered, in_windows, listed
from simulator.state.schema_projection import Facts, fitted_item
from simulator.state.state import State


def report_answers(state: State) -> Mapping[str, Answer]:
    """Answer the operations about logs and reports."""
    return {
        "list_voice_calls": partial(_list_calls, state),
        "list_account_voice_calls": partial(_list_calls, state),
        "list_sms": partial(_list_sms, state),
        "list_account_sms": partial(_list_sms, state),
        "list_operation_logs": partial(_list_operations, state),
        "list_agent_status_history": partial(_list_statuses, state),
        "list_engagement_dataset": partial(_list_engagements, state),
        "list_queue_performance_dataset": partial(_list_queue_stays, state),
        "list_disposition_dataset": partial(_list_dispositions, state),
    }


def _list_calls(state: State, request: RestRequest) -> Listing:
    _check_account(state, request)
    calls = (
        cached_item(engagement, request, partial(_call, state, engagement))
        for engagement in shown_engagements(state, request)
        if "voice" in engagement.channels
    )
    listing = listed(request, calls, time="start_time")
    if request.query.get("view_type") == "detail":
        return listing
    brief = [{n: v for n, v in c.items() if n != "voice_call_details"} for c in listing.items]
    return Listing(brief, listing.more)


def _call(state: State, engagement: Engagement) -> dict[str, object]:
    facts = engagement_facts(engagement, state.directory)
    direction, event_facts = facts["direction"], engagement.facts
    consumer: Facts = next(iter(engagement.consumers.values()), {})
    queues, flows = cast("list[Facts]", facts["queues"]), cast("list[Facts]", facts["flows"])
    distribution = "acd" if direction == "inbound" else "non_acd"
    facts |= {
        **consumer,
        "call_legs": [direction],
        "call_leg": direction,
        "distributions": [distribution],
        "distribution": distribution,
        "types": ["external_call"],
        "type": "external_call",
        "caller_number": event_facts.get("caller_number"),
        "callee_number": event_facts.get("callee_number"),
        "total_duration": facts["duration"],
        "recorded": bool(engagement.recordings),
        "monitored": engagement.monitored,
        "inbox": bool(engagement.voicemails),
        "result": _result(engagement),
        "calling_party": "consumer" if direction == "inbound" else "agent",
        "caller_id": event_facts.get("contact_center_number"),
        "queue": dict(queues[-1]) if queues else None,
        "flow": dict(flows[-1]) if flows else None,
    }
    return facts | {"voice_call_details": [dict(facts)]}


def _result(engagement: Engagement) -> str:
    if engagement.voicemails:
        return "overflowed_to_inbox"
    if abandoned(engagement):
        return "long_abandoned"
    return "completed" if engagement.durations.began["conversation"] else "missed"


def _list_sms(state: State, request: RestRequest) -> Listing:
    _check_account(state, request)
    texts = (
        cached_item(engagement, request, partial(_text, state, engagement))
        for engagement in shown_engagements(state, request)
        if engagement.channels.get("messaging", {}).get("channel_source") == "sms"
    )
    return listed(request, texts, time="start_time")


def _text(state: State, engagement: Engagement) -> dict[str, object]:
    received = sum(bool(message["by_consumer"]) for message in engagement.messages)
    consumer: Facts = next(iter(engagement.consumers.values()), {})
    return {
        **engagement_facts(engagement, state.directory),
        **consumer,
        "contact_center_number": engagement.facts.get("flow_number"),
        "sms_types": ["sms"],
        "total_received_messages": received,
        "total_sent_messages": len(engagement.messages) - received,
        "total_received_files": 0,
        "total_sent_files": 0,
    }


def _check_account(state: State, request: RestRequest) -> None:
    """Refuse a master account's request about a sub account that is not its own."""
    if request.path.get("account_id", state.account_id) != state.account_id:
        codes = request.operation.errors.get(404) or (1001,)
        raise ApiError(404, codes[0], "there is no such account")


def _list_operations(state: State, request: RestRequest) -> Listing:
    entries = (fitted_item(request.operation, entry) for entry in state.directory.log)
    return listed(request, entries, time="time")


def _list_statuses(state: State, request: RestRequest) -> Listing:
    rows = (fitted_item(request.operation, row) for row in state.status_history)
    return listed(request, rows, time="start_time")


def _list_engagements(state: State, request: RestRequest) -> Listing:
    documents = (
        cached_item(engagement, request, partial(v2_facts, engagement, state.directory))
        for engagement in shown_engagements(state, request)
    )
    return listed(request, documents, time="start_time")


def _list_queue_stays(state: State, request: RestRequest) -> Listing:
    """List each engagement once per queue; the measured times count for the last one."""
    stays = (
        fitted_item(request.operation, stay)
        for engagement in shown_engagements(state, request)
        for stay in _queue_stays(state, engagement)
    )
    return listed(request, stays, time="enter_time")


def _queue_stays(state: State, engagement: Engagement) -> Iterator[dict[str, object]]:
    facts = v2_facts(engagement, state.directory)
    queues = cast("list[Facts]", facts["queues"])
    lasted = engagement.durations
    stay = {
        name: value for name, value in facts.items() if not name.endswith(("duration", "count"))
    }
    stay |= {"enter_time": facts["start_time"], "exit_time": facts["end_time"]}
    for passed in queues[:-1]:
        yield stay | dict(passed) | {"queue_offered_count": 1, "handle_count": 0}
    measured = facts | {
        "queue_offered_count": 1,
        "handle_count": int(lasted.began["conversation"] > 0),
        "in_queue_wait_duration": lasted["waiting"],
        "ani_from": facts["ani"],
        "dnis_to": facts["dnis"],
    }
    for last in queues[-1:]:
        yield stay | measured | dict(last)


def _list_dispositions(state: State, request: RestRequest) -> Listing:
    """List dispositions; they have no time, so the window applies to their engagements."""
    return filtered(
        request,
        (
            fitted_item(request.operation, disposition)
            for engagement in shown_engagements(state, request)
            if in_windows(request, times(engagement), time="start_time")
            for disposition in _dispositions(state, engagement)
        ),
    )


def _dispositions(state: State, engagement: Engagement) -> Iterator[dict[str, object]]:
    facts = v2_facts(engagement, state.directory)
    queues = cast("list[Facts]", facts["queues"])
    channels = list(engagement.channels.values())
    for disposition in engagement.dispositions.values():
        yield {
            **facts,
            **(channels[0] if channels else {}),
            **(queues[-1] if queues else {}),
            **agent_facts(disposition, state.directory),
            "disposition_name": disposition["disposition_name"],
            "tier1_disposition_name": disposition["disposition_name"],
            "disposition_type": "single",
            "disposition_source": "agent",
            "account_id": state.account_id,
        }
