"""Bodies as Zoom publishes them, and bodies that nobody would expect, through the whole product."""

import asyncio
import hashlib
import hmac
import json
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from itertools import cycle
from pathlib import Path

import psycopg
import pytest

from operations.local.up import Running, everything
from operations.local.up_options import UpOptions
from runtime.kafka import read_all
from runtime.values import Delivery
from schemas.catalogue import events
from schemas.headers import event_id_header, reason_header, request_id_header, text
from schemas.topics import enriched_topics, quarantine_topic, raw_topic, raw_topics
from simulator.company import make_company
from simulator.stories import event_stream
from sinks.object_storage.reading import stored_event_ids
from tests.support.patience import HANG_GUARD_S

published = Path(__file__).parents[3] / "shared" / "zoom" / "events.json"


def published_or_own() -> dict[str, bytes]:
    """One body for each event: the published example where it is at hand, else the simulator's."""
    if published.is_file():
        bodies = {row["event"]: row["example"] for row in json.loads(published.read_text())}
        # The example of queue_deleted carries the name of another event.
        return {name: json.dumps({**body, "event": name}).encode() for name, body in bodies.items()}
    print(f"{published} is not there: bodies of the simulator stand in for the published examples")  # noqa: T201 - a skip has to be seen
    stream = event_stream(make_company(3), seed=3, start=datetime.now(UTC), count=700)
    return {event.event: event.body for event in stream}


@pytest.fixture(scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    options = UpOptions(
        events=0,
        rate_per_s=0,
        duplicates=0,
        reorder=0,
        time_scale=600,
        seed=1,
        settle_timeout_s=HANG_GUARD_S,
        linger=False,
    )
    async with everything(options, tmp_path_factory.mktemp("signed-bodies")) as entered:
        yield entered


async def post(running: Running, body: bytes, request_id: str) -> int:
    """Send as Zoom does, again after 503: a busy broker does not acknowledge in time."""
    async with asyncio.timeout(HANG_GUARD_S):
        while (status := await asyncio.to_thread(_post, running, body, request_id)) == 503:
            pass
    return status


def _post(running: Running, body: bytes, request_id: str) -> int:
    # Zoom signs each attempt again; the same signature would make no second record.
    timestamp = str(int(time.time()) - next(ages_s))
    secret = running.simulator.secret.get_secret_value().encode()
    digest = hmac.new(secret, b"v0:" + timestamp.encode() + b":" + body, hashlib.sha256)
    request = urllib.request.Request(
        running.simulator.target_url,
        data=body,
        headers={
            "x-zm-request-timestamp": timestamp,
            "x-zm-signature": f"v0={digest.hexdigest()}",
            "x-zm-request-id": request_id,
            "content-type": "application/json; charset=utf-8",
        },
    )
    try:
        with urllib.request.urlopen(request, timeout=HANG_GUARD_S) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


ages_s = cycle(range(120))


async def by_request_id(
    running: Running, topics: tuple[str, ...], wanted: set[str]
) -> dict[str, Delivery]:
    deliveries = read_all(running.stores.kafka, topics)
    named = {text(d.headers, request_id_header): d async for d in deliveries}
    return {name: d for name, d in named.items() if name in wanted}


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(HANG_GUARD_S):
        while not await condition():
            await asyncio.sleep(0.3)


async def rows_of(running: Running, ids: list[str]) -> list[tuple[str, dict[str, object]]]:
    dsn = running.stores.postgres.dsn.get_secret_value()
    async with await psycopg.AsyncConnection.connect(dsn) as connection:
        rows = await connection.execute(
            "select event_id, payload from zcc.raw_event where event_id = any(%s)", [ids]
        )
        return await rows.fetchall()


async def test_every_published_example_is_unchanged_in_its_topic_and_one_row_in_postgres(
    running: Running,
) -> None:
    bodies = published_or_own()
    assert set(bodies) == set(events)
    sent = {str(uuid.uuid4()): name for name in bodies}
    for request_id, name in sent.items():
        assert await post(running, bodies[name], request_id) == 204
    prefix = running.stores.kafka.topic_prefix
    in_topics = await by_request_id(running, raw_topics(prefix=prefix), set(sent))
    assert {request_id: d.value for request_id, d in in_topics.items()} == {
        request_id: bodies[name] for request_id, name in sent.items()
    }
    assert {request_id: d.topic for request_id, d in in_topics.items()} == {
        request_id: raw_topic(events[name].family, prefix=prefix)
        for request_id, name in sent.items()
    }
    ids = {str(text(d.headers, event_id_header)): name for name, d in in_topics.items()}
    assert len(ids) == 124

    async def all_stored() -> bool:
        return len(await rows_of(running, list(ids))) >= 124

    await until(all_stored)
    rows = await rows_of(running, list(ids))
    assert len(rows) == 124
    assert dict(rows) == {
        event_id: json.loads(bodies[sent[request_id]]) for event_id, request_id in ids.items()
    }


async def test_a_null_character_and_an_unknown_event_reach_postgres(running: Running) -> None:
    bodies = {
        str(uuid.uuid4()): json.dumps(
            {
                "event": event,
                "event_ts": 1_760_000_000_000 + number,
                "payload": {
                    "account_id": "A",
                    "object": {"engagement_id": "E", "message_text": "nul \0 and 😀"},
                },
            }
        ).encode()
        for number, event in enumerate(
            ("contact_center.engagement_user_sent_message", "contact_center.not_yet_invented")
        )
    }
    for request_id, body in bodies.items():
        assert await post(running, body, request_id) == 204
    prefix = running.stores.kafka.topic_prefix

    async def enriched() -> bool:
        return len(await by_request_id(running, enriched_topics(prefix=prefix), set(bodies))) == 2

    await until(enriched)
    in_topics = await by_request_id(running, raw_topics(prefix=prefix), set(bodies))
    assert {name: d.value for name, d in in_topics.items()} == bodies
    ids = [str(text(d.headers, event_id_header)) for d in in_topics.values()]

    async def stored() -> bool:
        return len(await rows_of(running, ids)) == 2

    await until(stored)
    for _, payload in await rows_of(running, ids):
        assert "nul \ufffd and 😀" in json.dumps(payload, ensure_ascii=False)


def event_of_pair(pair: str, **payload: object) -> bytes:
    """Write an event that is like the others of its pair but for ``payload``."""
    event = {"a": "app_deauthorized", "b": "user.deactivated", "c": started, "d": "user.updated"}
    return json.dumps(
        {
            "event": event[pair],
            "event_ts": 1_796_000_000_000,
            "payload": {"account_id": "AcctBeside0001", **payload},
        }
    ).encode()


started = "contact_center.engagement_started"
pairs: dict[str, list[bytes]] = {
    "a": [event_of_pair("a", client_id="c", user_id=f"user-{n}") for n in range(2)],
    "b": [event_of_pair("b", operator=f"o{n}", object={"id": "u"}) for n in range(2)],
    "c": [event_of_pair("c", engagement_id=f"eng-{n}", channel="voice") for n in range(3)],
    "d": [event_of_pair("d", object={"id": "u"}, old_object={"d": n}) for n in range(2)],
}
odd: dict[str, tuple[bytes, object]] = {
    "half a pair": (rb'"cut \ud83d"', "cut \ufffd"),
    "the other half": (rb'"cut \ud83e"', "cut \ufffd"),
    "beyond a double": (b"1e309", None),
    "many digits": (b"9" * 5_000, None),
}


async def test_bodies_that_differ_anywhere_are_rows_of_their_own_and_what_is_valid_is_one(
    running: Running,
) -> None:
    template = event_of_pair("c", object={"engagement_id": "eng-odd", "n": "ODD"})
    strange = {name: template.replace(b'"ODD"', text) for name, (text, _) in odd.items()}
    bodies = [body for pair in pairs.values() for body in pair] + list(strange.values())
    sent = {str(uuid.uuid4()): body for body in (*bodies, *bodies)}  # each of them twice
    for request_id, body in sent.items():
        assert await post(running, body, request_id) == 204
    prefix = running.stores.kafka.topic_prefix
    in_topics = await by_request_id(running, raw_topics(prefix=prefix), set(sent))
    assert {name: delivery.value for name, delivery in in_topics.items()} == sent
    ids = {str(text(d.headers, event_id_header)): d.value or b"" for d in in_topics.values()}
    assert sorted(ids.values()) == sorted(bodies)
    dsn = running.stores.postgres.dsn.get_secret_value()

    async def all_stored() -> bool:
        return len(await rows_of(running, list(ids))) >= len(bodies)

    await until(all_stored)
    rows = dict(await rows_of(running, list(ids)))
    assert rows.keys() == ids.keys()
    async with await psycopg.AsyncConnection.connect(dsn) as connection:
        cursor = await connection.execute(
            "select event_id, body, subject from zcc.raw_event where event_id = any(%s)",
            [list(ids)],
        )
        kept = {event_id: (body, subject) for event_id, body, subject in await cursor.fetchall()}
        subjects = await connection.execute(
            "select engagement_id from zcc.engagement where account_id = 'AcctBeside0001'"
        )
        engagements = {row[0] for row in await subjects.fetchall()}
    assert engagements == {"eng-0", "eng-1", "eng-2", "eng-odd"}
    for event_id, body in ids.items():
        verbatim, subject = kept[event_id]
        if body in strange.values():
            (name,) = (name for name, each in strange.items() if each == body)
            payload = json.dumps(rows[event_id]["payload"])
            assert json.loads(payload)["object"]["n"] == odd[name][1]
            assert (verbatim, subject) == (body, "engagement/eng-odd")
        else:
            assert (verbatim, rows[event_id]) == (None, json.loads(body))

    async def all_in_objects() -> bool:
        return ids.keys() <= {one async for one in stored_event_ids(running.stores.object_storage)}

    await until(all_in_objects)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"not json", "not_json"),
        (b"[" * 100_000 + b"]" * 100_000, "too_deep"),
        (b'{"event":"e","event_ts":' + b"9" * 5000 + b',"payload":{}}', "no_event_time"),
        (b'{"event":"e","event_ts":1,"payload":{"account_id":"A","object":[NaN]}}', "not_json"),
        (b'{"event":"e"}', "not_an_envelope"),
    ],
    ids=["text", "deep", "digits", "nan", "members"],
)
async def test_what_is_signed_but_no_event_is_accepted_and_kept_in_quarantine(
    running: Running, body: bytes, reason: str
) -> None:
    request_id = str(uuid.uuid4())
    assert await post(running, body, request_id) == 204
    prefix = running.stores.kafka.topic_prefix
    (kept,) = (
        await by_request_id(running, (quarantine_topic(prefix=prefix),), {request_id})
    ).values()
    assert kept.value == body
    assert text(kept.headers, reason_header) == reason
