"""The errors an operator gets when the brokers refuse the login, the certificate or the user."""

import asyncio
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiokafka import errors
from pydantic import SecretStr

from runtime.clock import SystemClock
from runtime.errors import ConfigurationError, FencedError, TransientError
from runtime.kafka import KafkaPublisher, TopicAdmin
from runtime.kafka.connection import answering, by_fault, connection_options
from runtime.settings import KafkaSettings
from runtime.values import Record

api_versions, sasl_handshake, sasl_authenticate = 18, 17, 36
authentication_failed = 58
# Source of the layouts: Kafka protocol guide.


def text(value: str) -> bytes:
    return struct.pack(">h", len(value)) + value.encode()


async def refuse_login(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer as a broker that knows SASL PLAIN and no such user."""
    try:
        while True:
            (size,) = struct.unpack(">i", await reader.readexactly(4))
            request = await reader.readexactly(size)
            api, _, correlation = struct.unpack(">hhi", request[:8])
            if api == api_versions:
                apis = [(api_versions, 0, 0), (sasl_handshake, 0, 1), (sasl_authenticate, 0, 0)]
                body = struct.pack(">hi", 0, len(apis))
                body += b"".join(struct.pack(">hhh", *each) for each in apis)
            elif api == sasl_handshake:
                body = struct.pack(">hi", 0, 1) + text("PLAIN")
            else:
                body = struct.pack(">h", authentication_failed) + text("no such user")
                body += struct.pack(">i", 0)
            answer = struct.pack(">i", correlation) + body
            writer.write(struct.pack(">i", len(answer)) + answer)
    except asyncio.IncompleteReadError:
        writer.close()


async def know_no_tls(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer a greeting of TLS in plain text."""
    await reader.read(1)
    writer.write(b"what do you mean?")
    writer.close()


async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(1)
    writer.close()


Answering = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def broker(answering: Answering = refuse_login) -> AsyncIterator[str]:
    server = await asyncio.start_server(answering, "127.0.0.1", 0)
    async with server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"


def with_login(servers: str) -> KafkaSettings:
    return KafkaSettings(
        bootstrap_servers=servers,
        security_protocol="SASL_PLAINTEXT",
        sasl_mechanism="PLAIN",
        sasl_username="someone",
        sasl_password=SecretStr("not-this"),
    )


async def test_a_refused_login_names_the_settings_and_not_the_password() -> None:
    async with broker() as servers:
        with pytest.raises(ConfigurationError, match="ZCC_KAFKA_SASL_PASSWORD") as refusal:
            async with TopicAdmin(with_login(servers)):
                pass
    assert "no such user" in str(refusal.value)
    assert "not-this" not in str(refusal.value)


async def test_an_outage_is_no_refusal_even_with_a_login() -> None:
    async with broker() as servers:
        pass
    with pytest.raises(TransientError):
        async with TopicAdmin(with_login(servers)):
            pass


async def test_a_publisher_that_is_refused_goes_on_trying_and_is_not_ready() -> None:
    async with (
        broker() as servers,
        KafkaPublisher(with_login(servers), client_id="t", clock=SystemClock()) as publisher,
    ):
        assert not publisher.ready
        with pytest.raises(TransientError):
            await publisher.publish(Record("t", b"k", b"v"))


@pytest.mark.parametrize(
    ("answering", "fault"), [(know_no_tls, ConfigurationError), (hang_up, TransientError)]
)
async def test_a_broker_without_tls_is_the_operators_fault_one_that_hangs_up_is_not(
    answering: Answering, fault: type[Exception]
) -> None:
    async with broker(answering) as servers:
        settings = KafkaSettings(bootstrap_servers=servers, security_protocol="SSL")
        with pytest.raises(fault):
            async with TopicAdmin(settings):
                pass


def test_certificates_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    for file in (tmp_path / "missing.pem", tmp_path / "empty.pem"):
        settings = KafkaSettings(security_protocol="SSL", ssl_ca_file=file)
        (tmp_path / "empty.pem").write_text("")
        with pytest.raises(ConfigurationError, match="ZCC_KAFKA_SSL_CA_FILE"):
            connection_options(settings)


def test_tls_checks_the_brokers_name_and_plaintext_has_none() -> None:
    context = connection_options(KafkaSettings(security_protocol="SSL"))["ssl_context"]
    assert context is not None
    assert context.check_hostname
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert connection_options(KafkaSettings())["ssl_context"] is None


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (errors.CommitFailedError(), FencedError),
        (errors.IllegalGenerationError(), FencedError),
        (errors.UnknownMemberIdError(), FencedError),
        (errors.RebalanceInProgressError(), FencedError),
        (errors.KafkaConnectionError(), TransientError),
        (errors.NodeNotReadyError(), TransientError),
        (errors.RequestTimedOutError(), TransientError),
        (errors.GroupCoordinatorNotAvailableError(), TransientError),
        (errors.NotEnoughReplicasError(), TransientError),
        (errors.KafkaError("whatever"), TransientError),
        (errors.TopicAuthorizationFailedError("t"), ConfigurationError),
        (errors.GroupAuthorizationFailedError("g"), ConfigurationError),
        (errors.SaslAuthenticationFailed(), ConfigurationError),
        (errors.InvalidSessionTimeoutError(), ConfigurationError),
        (errors.OffsetMetadataTooLargeError(), ConfigurationError),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else type(value).__name__,
)
async def test_each_error_of_the_library_is_raised_by_whose_fault_it_is(
    error: errors.KafkaError, fault: type[Exception]
) -> None:
    assert type(by_fault("ask", error)) is fault
    with pytest.raises(fault, match=r"^ask: "):
        async with answering("ask"):
            raise error


@pytest.mark.parametrize("error", [TimeoutError(), ConnectionResetError("reset")])
async def test_silence_and_broken_connections_are_transient_errors(error: Exception) -> None:
    with pytest.raises(TransientError, match=r"^ask: "):
        async with answering("ask"):
            raise error
