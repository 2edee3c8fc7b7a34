"""Ingest's two ports: one line reports taken ones, and health is that of all processes."""

import os
import signal
import socket

import pytest

from ingest.http.connections import Displaced
from ingest.http.responses import Refusal
from ingest.webhook.responses import Unavailable, table
from runtime.settings import KafkaSettings
from schemas.catalogue import families, unknown_family
from schemas.reasons import QuarantineReason
from tests.support.ingest_processes import is_running, listening, make_topics, pod, until
from zoom.signature import SignatureFault

nobody = KafkaSettings(bootstrap_servers="127.0.0.1:1")
taken = {
    "port": "ZCC_INGEST_HOST, ZCC_INGEST_PORT",
    "health_port": "ZCC_INGEST_HEALTH_HOST, ZCC_INGEST_HEALTH_PORT",
}


@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize("setting", taken)
async def test_a_port_that_is_taken_ends_ingest_with_2_and_one_line(
    setting: str, workers: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        async with pod(nobody, workers=workers, **{setting: str(port)}) as ingest:
            assert await ingest.ended() == 2
            lines = [entry["event"] for entry in ingest.log if "level" not in entry]
    assert "".join(lines).strip().splitlines() == [
        f"zcc: {taken[setting]}: cannot listen on 127.0.0.1:{port}: Address already in use"
    ]


async def test_health_of_several_processes_is_answered_by_their_parent(
    kafka_settings: KafkaSettings,
) -> None:
    await make_topics(kafka_settings)
    async with pod(kafka_settings, workers="2") as two:
        await two.until_ready(2)
        assert listening(two.health_port, two.everybody()) == [two.parent.pid]
        victim, _ = two.children()
        os.kill(victim, signal.SIGKILL)
        await until(lambda: not is_running(victim), two)
        for path in ("/healthz", "/readyz", "/metrics"):  # the other one goes on
            assert (await two.server.get(path)).status == 200
        for path in ("/healthz", "/readyz", "/metrics"):
            assert (await two.ask(path))[1].status == 404
        await until(lambda: len(listening(two.port, two.children())) == 2, two)
        os.kill(two.parent.pid, signal.SIGTERM)
        assert await two.ended() == 0


@pytest.mark.parametrize("workers", ["1", "2"])
async def test_every_counter_and_label_is_there_from_the_start(workers: str) -> None:
    apps = '{"default": ["the-newest-secret", "the-older-secret"]}'
    async with pod(nobody, workers=workers, apps=apps) as ingest:
        await until(lambda: len(ingest.logged("listening")) == int(workers), ingest)
        shown = (await ingest.server.get("/metrics")).body.decode()
    reasons = [*Refusal, *SignatureFault]
    wanted = [
        *(f'accepted_total{{family="{family}"}}' for family in (*families, unknown_family)),
        *(f'quarantined_total{{reason="{reason}"}}' for reason in QuarantineReason),
        *(f'unavailable_total{{reason="{reason}"}}' for reason in Unavailable),
        *(f'crowded_out_total{{state="{state}"}}' for state in Displaced),
        *(f'refused_total{{app="default",reason="{reason}"}}' for reason in reasons),
        *(f'refused_total{{app="-",reason="{reason}"}}' for reason in Refusal),
        *(
            f'responses_total{{app="{app}",status="{row.response.label}"}}'
            for row in table
            for app in ("default", "-")
        ),
        *(f'verified_total{{app="default",secret="{index}"}}' for index in (0, 1)),
        *('challenges_total{app="default"}', 'replays_total{app="default"}', "restarts_total"),
        *(f'reloads_total{{outcome="{each}"}}' for each in ("taken", "unreadable", "wrong")),
    ]
    lines = shown.splitlines()
    assert [each for each in wanted if f"zcc_ingest_{each} 0.0" not in lines] == []
