"""Kafka, Postgres and S3 from container images of the versions that devstack runs."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager

from testcontainers.core.container import DockerContainer
from testcontainers.core.docker_client import DockerClient
from testcontainers.core.wait_strategies import HttpWaitStrategy, LogMessageWaitStrategy

from devstack.options import chosen_kafka
from tests.support.ports import free_port

KAFKA_IMAGE = f"apache/kafka:{chosen_kafka()}"
POSTGRES_IMAGE = "postgres:18"
S3_IMAGE = "andrewgaul/s3proxy:s3proxy-4.1.0"
ACCESS_KEY = "tests"
SECRET_KEY = "tests-secret"
BUCKET = "tests"


@asynccontextmanager
async def run_containers() -> AsyncIterator[dict[str, str]]:
    """Run the containers until the end of the block; gives the fields of a RealStack."""
    with ExitStack() as running:
        yield await asyncio.to_thread(_started, running)


def _started(running: ExitStack) -> dict[str, str]:
    host = DockerClient().host()
    kafka_port = free_port()
    postgres, s3 = postgres_container(), s3_container()
    for container in (kafka_container(host, kafka_port), postgres, s3):
        running.enter_context(container)
    s3.exec(["mkdir", "-p", f"/data/{BUCKET}"])  # a bucket is a folder of this server
    return {
        "bootstrap_servers": f"{host}:{kafka_port}",
        "postgres_dsn": f"postgresql://postgres@{host}:{postgres.get_exposed_port(5432)}/postgres",
        "s3_endpoint": f"http://{host}:{s3.get_exposed_port(80)}",
        "s3_access_key": ACCESS_KEY,
        "s3_secret_key": SECRET_KEY,
        "s3_bucket": BUCKET,
    }


def kafka_container(host: str, port: int) -> DockerContainer:
    """One node; clients reach it from outside by the address that it tells them."""
    settings = {
        "KAFKA_NODE_ID": "1",
        "KAFKA_PROCESS_ROLES": "broker,controller",
        "KAFKA_CONTROLLER_QUORUM_VOTERS": "1@localhost:9093",
        "KAFKA_CONTROLLER_LISTENER_NAMES": "CONTROLLER",
        "KAFKA_LISTENERS": "CLIENT://:9092,CONTROLLER://:9093",
        "KAFKA_ADVERTISED_LISTENERS": f"CLIENT://{host}:{port}",
        "KAFKA_INTER_BROKER_LISTENER_NAME": "CLIENT",
        "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "CLIENT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "KAFKA_AUTO_CREATE_TOPICS_ENABLE": "false",
        "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_MIN_ISR": "1",
        "KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
        "KAFKA_GROUP_MIN_SESSION_TIMEOUT_MS": "1000",
    }
    return (
        DockerContainer(KAFKA_IMAGE)
        .with_bind_ports(9092, port)
        .with_envs(**settings)
        .waiting_for(LogMessageWaitStrategy("Kafka Server started"))
    )


def postgres_container() -> DockerContainer:
    """A server that lets everybody in, as devstack's does."""
    return (
        DockerContainer(POSTGRES_IMAGE)
        .with_exposed_ports(5432)
        .with_env("POSTGRES_HOST_AUTH_METHOD", "trust")
        .with_command("postgres -c track_commit_timestamp=on")
        # The first time it says so, it is only being set up.
        .waiting_for(LogMessageWaitStrategy("ready to accept connections", times=2))
    )


def s3_container() -> DockerContainer:
    """The same server that devstack runs."""
    settings = {
        "S3PROXY_ENDPOINT": "http://0.0.0.0:80",
        "S3PROXY_AUTHORIZATION": "aws-v2-or-v4",
        "S3PROXY_IDENTITY": ACCESS_KEY,
        "S3PROXY_CREDENTIAL": SECRET_KEY,
        "JCLOUDS_PROVIDER": "filesystem-nio2",
        "JCLOUDS_FILESYSTEM_BASEDIR": "/data",
    }
    return (
        DockerContainer(S3_IMAGE)
        .with_exposed_ports(80)
        .with_envs(**settings)
        .waiting_for(HttpWaitStrategy(80).for_status_code(403))  # answers, and wants a login
    )
