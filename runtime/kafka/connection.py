"""Connects every client to the brokers, and classifies its failures by fault."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Final, TypedDict, assert_never

from aiokafka import errors
from aiokafka.client import AIOKafkaClient

from runtime.errors import ConfigurationError, FencedError, TransientError
from runtime.kafka.diagnosis import ConnectionRefused, ProtocolMismatch, cause_of_silence
from runtime.kafka.error_codes import error_codes
from runtime.kafka.tls import ssl_context
from runtime.settings import KafkaSettings

connect_timeout_s: Final = 10.0
"""Limit of the first connection, over all brokers in turn."""

answer_timeout_s: Final = 5.0
"""Limit of a question to the brokers with its retries. A group tolerates it many times over."""

_poll_interval_s: Final = 0.1

_login: Final = (
    "check ZCC_KAFKA_SECURITY_PROTOCOL, ZCC_KAFKA_SASL_MECHANISM, ZCC_KAFKA_SASL_USERNAME and "
    "ZCC_KAFKA_SASL_PASSWORD"
)

_remedies: Final[Mapping[type[errors.KafkaError], str]] = {
    errors.AuthenticationFailedError: _login,
    errors.AuthenticationMethodNotSupported: _login,
    errors.SaslAuthenticationFailed: _login,
    errors.UnsupportedSaslMechanismError: _login,
    errors.IllegalSaslStateError: _login,
    errors.TopicAuthorizationFailedError: "allow the user Describe, Read and Write on the topics",
    errors.GroupAuthorizationFailedError: "allow the user Read on the group",
    errors.ClusterAuthorizationFailedError: (
        "allow the user IdempotentWrite, and Create and Alter where it applies topics"
    ),
    errors.TransactionalIdAuthorizationFailed: (
        "allow the user Describe and Write on the transactional id, which is the group's name"
    ),
    errors.InvalidTopicError: "choose another ZCC_KAFKA_TOPIC_PREFIX",
    errors.InvalidGroupIdError: "choose another ZCC_KAFKA_TOPIC_PREFIX, the group begins with it",
    errors.InvalidSessionTimeoutError: (
        "choose ZCC_WORKER_SESSION_TIMEOUT_S between the brokers' group.min.session.timeout.ms "
        "and group.max.session.timeout.ms"
    ),
    errors.InconsistentGroupProtocolError: (
        "stop the members of the group that assign partitions in another way"
    ),
    errors.InvalidReplicationFactorError: (
        "set ZCC_KAFKA_REPLICATION to no more than there are brokers"
    ),
    errors.InvalidPartitionsError: (
        "check ZCC_KAFKA_ENGAGEMENT_PARTITIONS and ZCC_KAFKA_OTHER_PARTITIONS"
    ),
    errors.PolicyViolationError: "ask the operators of the brokers for their policy",
    errors.OffsetMetadataTooLargeError: "raise offset.metadata.max.bytes of the brokers",
    errors.UnsupportedCodecError: "install cramjam, which reads lz4, snappy and zstd",
    errors.IncompatibleBrokerVersion: "use Kafka 3 or 4",
    errors.UnsupportedVersionError: "use Kafka 3 or 4",
}

_fenced: Final = (
    errors.CommitFailedError,
    errors.IllegalGenerationError,
    errors.RebalanceInProgressError,
    errors.UnknownMemberIdError,
)


class ConnectionOptions(TypedDict):
    """The arguments that all clients of the library share."""

    bootstrap_servers: str
    security_protocol: str
    ssl_context: ssl.SSLContext | None
    sasl_mechanism: str
    sasl_plain_username: str
    sasl_plain_password: str


def connection_options(settings: KafkaSettings) -> ConnectionOptions:
    """Return the arguments that reach the brokers.

    Raises:
        ConfigurationError: the file of certificates cannot be read.
    """
    _know_error_codes()
    return ConnectionOptions(
        bootstrap_servers=settings.bootstrap_servers,
        security_protocol=settings.security_protocol,
        ssl_context=ssl_context(settings),
        sasl_mechanism=settings.sasl_mechanism,
        sasl_plain_username=settings.sasl_username,
        sasl_plain_password=settings.sasl_password.get_secret_value(),
    )


def _know_error_codes() -> None:
    """Have the library report error codes that it does not know.

    It maps each of them to -1, so that a refused record looks like a failing broker.
    """
    for code, name, _, is_retriable in error_codes:
        if code not in errors.kafka_errors:
            members = {"errno": code, "message": name, "retriable": is_retriable}
            errors.kafka_errors[code] = type(name, (errors.BrokerResponseError,), members)


@asynccontextmanager
async def answering(what: str, *, timeout_s: float = answer_timeout_s) -> AsyncIterator[None]:
    """Limit the time of the brokers' answer to ``what``, and raise failures by fault.

    Raises:
        TransientError: the brokers do not answer, or cannot at the moment.
        FencedError: the group has moved on.
        ConfigurationError: they refuse for good.
    """
    try:
        async with asyncio.timeout(timeout_s):
            yield
    except TimeoutError as error:
        raise TransientError(f"{what}: Kafka gave no answer within {timeout_s:g} s") from error
    except errors.KafkaError as error:
        raise by_fault(what, error) from error
    except OSError as error:
        raise TransientError(f"{what}: {error}") from error
    except asyncio.CancelledError:
        if _is_being_cancelled():
            raise
        raise TransientError(f"{what}: the client has ended a task of its own") from None


def _is_being_cancelled() -> bool:
    """Return whether the current task is being cancelled.

    The library awaits tasks that it has cancelled, and lets their CancelledError escape. A consumer
    that closes while a fetch waits for its retry would otherwise end the worker like a stop.
    """
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def by_fault(
    what: str, error: errors.KafkaError
) -> TransientError | FencedError | ConfigurationError:
    """Return the library's error as an error of the runtime."""
    if isinstance(error, _fenced):
        return FencedError(f"{what}: {_name(error)}")
    for refusal, remedy in _remedies.items():
        if isinstance(error, refusal):
            return ConfigurationError(f"{what}: Kafka refuses ({_name(error)}): {remedy}")
    return TransientError(f"{what}: {_name(error)}")


def _name(error: errors.KafkaError) -> str:
    name, text = type(error).__name__, str(error)
    return text if name in text else f"{name}: {text}"


@asynccontextmanager
async def connecting(settings: KafkaSettings) -> AsyncIterator[None]:
    """Limit the time of a client's start, and find the cause where the library does not report it.

    The library logs each broker's answer to the login and then raises only "no broker reached", so
    a wrong password would look like an outage.

    Raises:
        TransientError: no broker is reached, or none answers.
        ConfigurationError: a broker refuses the login, or is not trusted.
    """
    try:
        async with answering(
            f"connect to {settings.bootstrap_servers}", timeout_s=connect_timeout_s
        ):
            yield
    except TransientError as error:
        cause = await cause_of_silence(settings, connection_options(settings))
        match cause:
            case None:
                raise
            case ConnectionRefused(what, refusal):
                raise by_fault(what, refusal) from refusal
            case ProtocolMismatch(message, is_certain=True):
                raise ConfigurationError(message) from error
            case ProtocolMismatch(message):
                raise TransientError(f"{error}; {message}") from error
            case never:
                assert_never(never)


async def know_brokers(client: AIOKafkaClient) -> None:
    """Return once a started client knows a broker to ask; the caller limits the time.

    A broker that has just started may answer with an empty list of brokers. The library accepts
    that answer, and its first search for a coordinator then fails an assertion.
    """
    while not client.cluster.brokers():
        await client.force_metadata_update()
        if not client.cluster.brokers():
            await asyncio.sleep(_poll_interval_s)
