"""TLS to the brokers: trusted authorities, our own certificate, and renewal of both files.

A client of the library has one context for all connections of the process, and certificates live
for days. So the context checks its files whenever it opens a connection, and reads them again after
a change. Open connections keep the certificates that they began with.
"""

import ssl
from pathlib import Path
from typing import Any

import structlog

from runtime.errors import ConfigurationError
from runtime.settings import KafkaSettings

_log = structlog.get_logger()


def ssl_context(settings: KafkaSettings) -> ssl.SSLContext | None:
    """Return the context of a client, None where the protocol has no TLS.

    Raises:
        ConfigurationError: a file of certificates cannot be read.
    """
    if not settings.security_protocol.endswith("SSL"):
        return None
    context = _RenewedContext(ssl.PROTOCOL_TLS_CLIENT)  # which checks certificate and host name
    context.read(settings)
    return context


class _RenewedContext(ssl.SSLContext):
    """A context read from files. asyncio and uvloop call its `wrap_bio` for each connection."""

    _settings: KafkaSettings
    _seen: tuple[object, ...]

    def read(self, settings: KafkaSettings) -> None:
        """Read all files.

        Raises:
            ConfigurationError: one cannot be read.
        """
        self._settings = settings
        self._seen = _stamps(settings)
        if settings.ssl_ca_file is None:
            self.load_default_certs()
        self._load()

    def wrap_bio(self, *arguments: Any, **named: Any) -> ssl.SSLObject:  # noqa: ANN401 - as the class has them
        """Begin a connection with the present files."""
        stamps = _stamps(self._settings)
        if stamps != self._seen:
            try:
                self._load()
            except ConfigurationError as error:  # half written; the next connection checks again
                _log.warning("certificates not renewed", error=str(error))
            else:
                self._seen = stamps
                _log.info("certificates renewed")
        return super().wrap_bio(*arguments, **named)

    def _load(self) -> None:
        """Read the files. An authority removed from its file stays trusted until a restart."""
        settings = self._settings
        try:
            if settings.ssl_ca_file is not None:
                self.load_verify_locations(settings.ssl_ca_file)
        except OSError as error:  # an SSLError is one too
            raise ConfigurationError(
                f"ZCC_KAFKA_SSL_CA_FILE: cannot read certificates from {settings.ssl_ca_file}: "
                f"{error}"
            ) from error
        if settings.ssl_cert_file is None:
            return
        try:
            self.load_cert_chain(
                settings.ssl_cert_file,
                settings.ssl_key_file,
                # Without a password, OpenSSL would ask at the terminal.
                settings.ssl_key_password.get_secret_value(),
            )
        except (OSError, ValueError) as error:
            raise ConfigurationError(
                f"ZCC_KAFKA_SSL_CERT_FILE, ZCC_KAFKA_SSL_KEY_FILE, ZCC_KAFKA_SSL_KEY_PASSWORD: "
                f"cannot read our certificate from {settings.ssl_cert_file}: {error}"
            ) from error


def _stamps(settings: KafkaSettings) -> tuple[object, ...]:
    files = (settings.ssl_ca_file, settings.ssl_cert_file, settings.ssl_key_file)
    return tuple(_stamp(file) for file in files if file is not None)


def _stamp(file: Path) -> object:
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
