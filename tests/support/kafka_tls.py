"""A broker with listeners of several protocols, and certificates that openssl makes for a test."""

import asyncio
import os
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from devstack.kafka import answers, kafka_program
from devstack.ports import HOST, reserve
from runtime.settings import KafkaSettings
from tests.support.patience import HANG_GUARD_S

PASSWORD = "right-password"

PROPERTIES = """
listeners=CLIENT://{host}:{plain},CONTROLLER://{host}:{controller},TLS://{host}:{tls},\
MTLS://{host}:{mtls},LOGIN://{host}:{login}
advertised.listeners=CLIENT://{host}:{plain},TLS://{host}:{tls},MTLS://{host}:{mtls},\
LOGIN://{host}:{login}
listener.security.protocol.map=CLIENT:PLAINTEXT,CONTROLLER:PLAINTEXT,TLS:SSL,MTLS:SSL,\
LOGIN:SASL_PLAINTEXT
ssl.keystore.type=PEM
ssl.keystore.location={server}
ssl.truststore.type=PEM
ssl.truststore.location={ca}
listener.name.mtls.ssl.client.auth=required
listener.name.login.sasl.enabled.mechanisms=PLAIN
listener.name.login.plain.sasl.jaas.config=\
org.apache.kafka.common.security.plain.PlainLoginModule required user_someone="{password}";
"""


@dataclass(frozen=True)
class Authority:
    """Signs certificates in a folder of its own."""

    folder: Path

    @property
    def certificate(self) -> Path:
        return self.folder / "ca.pem"

    async def create(self) -> None:
        self.folder.mkdir()
        await self._openssl(
            *("req", "-x509", "-subj", "/CN=authority", "-days", "2", *new_key("ca.key")),
            *("-out", "ca.pem"),
        )

    async def sign(self, name: str, *, password: str = "") -> tuple[Path, Path]:
        """Return certificate and key of somebody on this host; the key is encrypted on demand."""
        await self._openssl("req", "-subj", f"/CN={name}", *new_key("k"), "-out", "request")
        (self.folder / "names").write_text(f"subjectAltName=IP:{HOST}")
        await self._openssl(
            *("x509", "-req", "-in", "request", "-CA", "ca.pem", "-CAkey", "ca.key", "-days", "2"),
            *("-CAcreateserial", "-extfile", "names", "-out", f"{name}.pem"),
        )
        cipher = ("-v2", "aes256", "-passout", f"pass:{password}") if password else ("-nocrypt",)
        await self._openssl("pkcs8", "-topk8", "-in", "k", *cipher, "-out", f"{name}.key")
        return self.folder / f"{name}.pem", self.folder / f"{name}.key"

    async def _openssl(self, *arguments: str) -> None:
        process = await asyncio.create_subprocess_exec(
            "openssl",
            *arguments,
            cwd=self.folder,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        _, output = await process.communicate()
        assert process.returncode == 0, output.decode()


def new_key(file: str) -> tuple[str, ...]:
    return ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", file)


@dataclass(frozen=True)
class Listeners:
    """Addresses of one broker, by what is spoken there."""

    authority: Authority
    plain: str
    tls: str
    mtls: str
    login: str

    def settings(self, servers: str, **changes: object) -> KafkaSettings:
        return KafkaSettings(
            bootstrap_servers=servers,
            replication=1,
            **changes,  # type: ignore[arg-type]  # pydantic parses them
        )


@asynccontextmanager
async def broker(folder: Path) -> AsyncIterator[Listeners]:
    authority = Authority(folder / "authority")
    await authority.create()
    certificate, key = await authority.sign("server")
    server = folder / "server.pem"
    server.write_text(key.read_text() + certificate.read_text())
    names = ("plain", "controller", "tls", "mtls", "login")
    reserved = {name: reserve(0) for name in names}
    ports = {name: port.number for name, port in reserved.items()}
    program = await kafka_program(folder, ports["plain"], ports["controller"])
    with (folder / "kafka" / "server.properties").open("a") as file:
        file.write(
            PROPERTIES.format(
                host=HOST, server=server, ca=authority.certificate, password=PASSWORD, **ports
            )
        )
    with (folder / "kafka.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *program.command, stdout=log, stderr=log, env=dict(os.environ)
        )
    try:
        async with asyncio.timeout(HANG_GUARD_S):
            while not await is_up(ports["plain"]):
                assert process.returncode is None, (folder / "kafka.log").read_text()[-3000:]
                await asyncio.sleep(0.1)
            while not await shakes_hands(ports["tls"]):  # a virtual machine that is cold is slow
                await asyncio.sleep(0.1)
        addresses = {name: f"{HOST}:{ports[name]}" for name in ("plain", "tls", "mtls", "login")}
        yield Listeners(authority, **addresses)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        for port in reserved.values():
            port.release()


async def shakes_hands(port: int) -> bool:
    anybody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    anybody.check_hostname = False
    anybody.verify_mode = ssl.CERT_NONE
    try:
        _, writer = await asyncio.open_connection(HOST, port, ssl=anybody)
    except OSError:
        return False
    writer.close()
    return True


async def is_up(port: int) -> bool:
    try:
        return await answers(port)
    except (OSError, asyncio.IncompleteReadError, TimeoutError):
        return False
