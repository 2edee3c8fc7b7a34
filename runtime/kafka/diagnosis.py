"""Finds out why no broker was reached, where the library does not report it.

The library logs a broker's answer and then raises only "no broker reached". A listener of another
protocol hangs up without an answer. So this module probes the first broker itself. Otherwise a
refused login, a refused certificate or a wrong `ZCC_KAFKA_SECURITY_PROTOCOL` would look like an
outage.
"""

import asyncio
import ssl
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final, NamedTuple

from aiokafka import errors
from aiokafka.conn import AIOKafkaConnection, collect_hosts, create_conn
from aiokafka.protocol.admin import SaslHandShakeRequest

from runtime.settings import KafkaSettings

_timeout_s: Final = 3.0

_protocol: Final = "check ZCC_KAFKA_SECURITY_PROTOCOL"
_trust: Final = (
    f"{_protocol}, ZCC_KAFKA_SSL_CA_FILE, and ZCC_KAFKA_SSL_CERT_FILE where the brokers ask for a "
    "certificate"
)


class ConnectionRefused(NamedTuple):
    """A broker answered with an error."""

    what: str
    error: errors.KafkaError


class ProtocolMismatch(NamedTuple):
    """Broker and settings do not match. With ``is_certain`` False it may be an outage."""

    message: str
    is_certain: bool


async def cause_of_silence(
    settings: KafkaSettings, options: Mapping[str, Any]
) -> ConnectionRefused | ProtocolMismatch | None:
    """Ask the first broker once more. None where it is down, or answers after all.

    ``options`` are those of the library's clients.
    """
    host, port, _ = collect_hosts(settings.bootstrap_servers, randomize=False)[0]
    address = f"{host}:{port}"
    cause: ConnectionRefused | ProtocolMismatch | None = None
    try:
        async with asyncio.timeout(_timeout_s):
            connection = await _connected(host, port, options)
    except ssl.SSLEOFError:
        cause = _hung_up(settings, address)
    except ssl.SSLError as error:
        cause = ProtocolMismatch(f"TLS with {address} fails ({error}): {_trust}", is_certain=True)
    except (errors.KafkaConnectionError, ConnectionResetError, TimeoutError):
        cause = await _of_other_protocol(settings, host, port)
    except errors.KafkaError as error:
        cause = ConnectionRefused(f"log in to {address}", error)
    except OSError:
        pass  # it is not there
    else:
        if not settings.security_protocol.startswith("SASL"):
            cause = await _wants_login(connection, address)
        await _closed(connection)
    return cause


async def _of_other_protocol(
    settings: KafkaSettings, host: str, port: int
) -> ProtocolMismatch | None:
    address = f"{host}:{port}"
    if settings.security_protocol.endswith("SSL"):
        return _hung_up(settings, address)
    if await _speaks_tls(host, port):
        wanted = "SASL_SSL" if settings.security_protocol.startswith("SASL") else "SSL"
        return ProtocolMismatch(
            f"{address} speaks TLS, and ZCC_KAFKA_SECURITY_PROTOCOL is "
            f"{settings.security_protocol}: expected {wanted}",
            is_certain=True,
        )
    return None


def _hung_up(settings: KafkaSettings, address: str) -> ProtocolMismatch:
    return ProtocolMismatch(
        f"{address} hangs up when TLS begins: it is down, speaks no TLS (ZCC_KAFKA_SECURITY_"
        f"PROTOCOL is {settings.security_protocol}), or refuses our certificate ({_trust})",
        is_certain=False,
    )


async def _speaks_tls(host: str, port: int) -> bool:
    """Return whether a TLS handshake completes, or fails on our side. It sends no data."""
    anybody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    anybody.check_hostname = False
    anybody.verify_mode = ssl.CERT_NONE  # it is only asked what it speaks
    try:
        async with asyncio.timeout(_timeout_s):
            _, writer = await asyncio.open_connection(host, port, ssl=anybody)
    except ssl.SSLEOFError:
        return False
    except ssl.SSLError as error:
        return "WRONG_VERSION_NUMBER" not in str(error)
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True


async def _wants_login(connection: AIOKafkaConnection, address: str) -> ProtocolMismatch | None:
    """Return the mismatch of a broker with login mechanisms and settings without a login."""
    with suppress(TimeoutError, errors.KafkaError, OSError):
        async with asyncio.timeout(_timeout_s):
            answer = await connection.send(SaslHandShakeRequest("PLAIN"))
        if answer.enabled_mechanisms:
            return ProtocolMismatch(
                f"{address} asks for a login ({', '.join(answer.enabled_mechanisms)}): {_protocol},"
                " ZCC_KAFKA_SASL_MECHANISM, ZCC_KAFKA_SASL_USERNAME and ZCC_KAFKA_SASL_PASSWORD",
                is_certain=True,
            )
    return None


async def _connected(host: str, port: int, options: Mapping[str, Any]) -> AIOKafkaConnection:
    own = {name: value for name, value in options.items() if name != "bootstrap_servers"}
    return await create_conn(host, port, request_timeout_ms=int(_timeout_s * 1000), **own)


async def _closed(connection: AIOKafkaConnection) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(_timeout_s):
            await connection.close()
