"""Certificates on both sides of a real listener, and the errors where protocols do not fit."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiokafka.conn import create_conn
from pydantic import SecretStr, ValidationError
from structlog.testing import capture_logs

from operations.doctor.checks import examine
from runtime.clock import SystemClock
from runtime.errors import ConfigurationError, TransientError
from runtime.kafka import KafkaPublisher, TopicAdmin
from runtime.kafka.connection import connection_options
from runtime.settings import KafkaSettings
from runtime.values import Record
from schemas.topics import TopicSpec
from tests.support.kafka_records import records_of
from tests.support.kafka_tls import PASSWORD, Authority, Listeners, broker
from tests.support.patience import HANG_GUARD_S

deadline_s = HANG_GUARD_S


@pytest.fixture(scope="module")
async def listeners(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Listeners]:
    async with broker(tmp_path_factory.mktemp("broker")) as started:
        yield started


async def connects(kafka: KafkaSettings) -> bool:
    async with TopicAdmin(kafka) as admin:
        return bool(await admin.cluster_id())


async def test_a_listener_that_requires_a_certificate_is_written_to_and_read_with_ours(
    listeners: Listeners,
) -> None:
    certificate, key = await listeners.authority.sign("client")
    kafka = listeners.settings(
        listeners.mtls,
        security_protocol="SSL",
        ssl_ca_file=listeners.authority.certificate,
        ssl_cert_file=certificate,
        ssl_key_file=key,
    )
    async with TopicAdmin(kafka) as admin:
        await admin.apply([TopicSpec("secured.v1", 1, 1, "delete", 86_400_000)])
    async with KafkaPublisher(kafka, client_id="t", clock=SystemClock()) as publisher:
        assert await publisher.reached(within_s=deadline_s)
        async with asyncio.timeout(deadline_s):
            await publisher.publish(Record("secured.v1", b"k", b"v"))
    assert [each.value for each in await records_of(kafka, ["secured.v1"])] == [b"v"]


async def test_without_a_certificate_of_ours_the_setting_is_named(listeners: Listeners) -> None:
    kafka = listeners.settings(
        listeners.mtls, security_protocol="SSL", ssl_ca_file=listeners.authority.certificate
    )
    with pytest.raises((ConfigurationError, TransientError), match="ZCC_KAFKA_SSL_CERT_FILE"):
        await connects(kafka)


async def test_a_key_may_be_encrypted_and_a_wrong_password_is_reported_without_a_prompt(
    listeners: Listeners,
) -> None:
    certificate, key = await listeners.authority.sign("locked", password="open sesame")
    kafka = listeners.settings(
        listeners.mtls,
        security_protocol="SSL",
        ssl_ca_file=listeners.authority.certificate,
        ssl_cert_file=certificate,
        ssl_key_file=key,
        ssl_key_password=SecretStr("open sesame"),
    )
    assert await connects(kafka)
    for password in ("wrong", ""):
        wrong = kafka.model_copy(update={"ssl_key_password": SecretStr(password)})
        with pytest.raises(ConfigurationError, match="ZCC_KAFKA_SSL_KEY_PASSWORD") as refusal:
            connection_options(wrong)
        assert "sesame" not in str(refusal.value)


async def test_a_certificate_that_is_renewed_on_disk_is_shown_at_the_next_connection(
    listeners: Listeners, tmp_path: Path
) -> None:
    stranger = Authority(tmp_path / "stranger")
    await stranger.create()
    good, bad = await listeners.authority.sign("renewed"), await stranger.sign("renewed")
    own = (tmp_path / "own.pem", tmp_path / "own.key")

    def install(files: tuple[Path, Path]) -> None:
        for source, target in zip(files, own, strict=True):
            shutil.copy(source, target)

    install(bad)
    kafka = listeners.settings(
        listeners.mtls,
        security_protocol="SSL",
        ssl_ca_file=listeners.authority.certificate,
        ssl_cert_file=own[0],
        ssl_key_file=own[1],
    )
    options = {**connection_options(kafka)}  # of one client, for all its life
    del options["bootstrap_servers"]
    host, _, port = listeners.mtls.partition(":")
    with pytest.raises(Exception, match=r"(?i)alert|closed|connection"):
        await create_conn(host, int(port), **options)
    own[0].write_text("half written")
    with pytest.raises(Exception, match=r"(?i)alert|closed|connection"), capture_logs() as logs:
        await create_conn(host, int(port), **options)
    assert [entry["event"] for entry in logs] == ["certificates not renewed"]
    install(good)
    connection = await create_conn(host, int(port), **options)
    await connection.close()


@pytest.mark.parametrize(
    ("place", "protocol", "hint"),
    [
        ("plain", "SSL", "ZCC_KAFKA_SECURITY_PROTOCOL"),
        ("tls", "PLAINTEXT", "speaks TLS, and ZCC_KAFKA_SECURITY_PROTOCOL is PLAINTEXT"),
        ("tls", "SASL_PLAINTEXT", "expected SASL_SSL"),
        ("mtls", "PLAINTEXT", "speaks TLS, and ZCC_KAFKA_SECURITY_PROTOCOL is PLAINTEXT"),
        ("plain", "SASL_PLAINTEXT", "ZCC_KAFKA_SECURITY_PROTOCOL"),
        ("login", "PLAINTEXT", r"asks for a login \(PLAIN\): check ZCC_KAFKA_SECURITY_PROTOCOL"),
    ],
)
async def test_a_listener_of_another_protocol_is_reported_by_its_setting(
    listeners: Listeners, place: str, protocol: str, hint: str
) -> None:
    login = {"sasl_username": "someone", "sasl_password": SecretStr(PASSWORD)}
    kafka = listeners.settings(
        getattr(listeners, place),
        security_protocol=protocol,
        sasl_mechanism="PLAIN",
        **(login if protocol.startswith("SASL") else {}),
    )
    with pytest.raises((ConfigurationError, TransientError), match=hint) as caught:
        await connects(kafka)
    assert "\n" not in str(caught.value)
    assert PASSWORD not in str(caught.value)


async def test_ingests_publisher_logs_why_it_reaches_no_broker(listeners: Listeners) -> None:
    kafka = listeners.settings(listeners.tls)
    with capture_logs() as logs:
        async with (
            asyncio.timeout(deadline_s),
            KafkaPublisher(kafka, client_id="zcc-ingest", clock=SystemClock()) as publisher,
        ):
            while not any("speaks TLS" in str(entry.get("error")) for entry in logs):
                await asyncio.sleep(0.01)
            assert not publisher.ready


async def test_doctor_shows_why_it_reaches_no_broker(
    listeners: Listeners, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZCC_KAFKA_BOOTSTRAP_SERVERS", listeners.tls)
    (finding,) = [each async for each in examine(SystemClock()) if each.check == "kafka"]
    assert finding.state == "wrong"
    assert "ZCC_KAFKA_SECURITY_PROTOCOL is PLAINTEXT: expected SSL" in finding.text


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"ssl_cert_file": "c.pem"}, "ZCC_KAFKA_SECURITY_PROTOCOL"),
        ({"ssl_key_file": "k.pem", "security_protocol": "SSL"}, "ZCC_KAFKA_SSL_CERT_FILE"),
        ({"ssl_key_password": "p", "security_protocol": "SSL"}, "ZCC_KAFKA_SSL_CERT_FILE"),
    ],
)
def test_half_a_certificate_refuses_to_start(changes: dict[str, str], named: str) -> None:
    with pytest.raises(ValidationError, match=named):
        KafkaSettings(**changes)  # type: ignore[arg-type]  # pydantic parses them
