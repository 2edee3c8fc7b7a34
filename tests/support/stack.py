"""Kafka, Postgres and S3 for the tests: from containers where an engine answers, else devstack."""

import contextlib
import os
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Literal, assert_never

import devstack

Source = Literal["containers", "devstack"]

VARIABLE = "ZCC_TEST_STACK"
ENGINE_TIMEOUT_S = 3
DEFAULT_ENGINE = "unix:///var/run/docker.sock"


@dataclass(frozen=True, slots=True)
class RealStack:
    """Addresses of a real Kafka, Postgres and S3 server; `postgres_dsn` is an administrator's."""

    bootstrap_servers: str
    postgres_dsn: str
    s3_endpoint: str
    s3_access_key: str
    s3_secret_key: str
    s3_bucket: str


def chosen_source(environment: Mapping[str, str] = os.environ) -> tuple[Source, str]:
    """Where the stack comes from, and why.

    Raises:
        ValueError: the variable names something else.
    """
    match environment.get(VARIABLE, ""):
        case "containers" | "devstack" as forced:
            return forced, f"{VARIABLE} says so"
        case "":
            if engine_answers(environment):
                return "containers", "a container engine answers"
            return "devstack", "no container engine answers"
        case other:
            raise ValueError(f"{VARIABLE} must be containers or devstack; got {other!r}")


def engine_answers(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether a container engine is there and takes commands."""
    address = environment.get("DOCKER_HOST", DEFAULT_ENGINE)
    if address.startswith("unix://") and not _listens(address.removeprefix("unix://")):
        return False
    import docker  # noqa: PLC0415 - slow to import
    from docker.errors import DockerException  # noqa: PLC0415 - slow too
    from requests.exceptions import RequestException  # noqa: PLC0415 - slow too

    try:
        with contextlib.closing(
            docker.DockerClient(base_url=address, timeout=ENGINE_TIMEOUT_S)
        ) as client:
            return bool(client.ping())
    except (DockerException, RequestException):
        return False


def _listens(path: str) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(ENGINE_TIMEOUT_S)
        return client.connect_ex(path) == 0


@asynccontextmanager
async def real_stack(source: Source) -> AsyncIterator[RealStack]:
    """Run the stack until the end of the block."""
    match source:
        case "devstack":
            async with devstack.running(devstack.DevstackOptions(directory=None)) as parts:
                yield RealStack(
                    bootstrap_servers=parts.bootstrap_servers,
                    postgres_dsn=parts.postgres_dsn,
                    s3_endpoint=parts.s3_endpoint,
                    s3_access_key=parts.s3_access_key,
                    s3_secret_key=parts.s3_secret_key,
                    s3_bucket=parts.s3_bucket,
                )
        case "containers":
            from tests.support.containers import run_containers  # noqa: PLC0415 - slow to import

            async with run_containers() as addresses:
                yield RealStack(**addresses)
        case _:
            assert_never(source)
