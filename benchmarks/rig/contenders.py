"""Processes that are measured: started, accounted for, ended."""

import asyncio
import socket
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

_end_timeout_s = 15.0


@dataclass(frozen=True, slots=True)
class Contender:
    """A gateway that runs, as one process or several; the load is spread over its ports."""

    name: str
    path: str
    ports: tuple[int, ...]
    processes: tuple[psutil.Process, ...]

    def family(self) -> tuple[psutil.Process, ...]:
        """Its processes and theirs."""
        below = [child for each in self.processes for child in each.children(recursive=True)]
        return (*self.processes, *below)

    def cpu_s(self) -> float:
        """Processor time of all of them."""
        return cpu_s(self.family())

    def rss_mib(self) -> float:
        """The memory of the largest of them."""
        return round(max(each.memory_info().rss for each in self.family()) / 2**20, 1)


def cpu_s(processes: Sequence[psutil.Process]) -> float:
    """Processor time of these processes since they began, that of the kernel for them included."""
    spent = [each.cpu_times() for each in processes]
    return sum(each.user + each.system for each in spent)


def broker() -> tuple[psutil.Process, ...]:
    """The broker among the processes that this one has started."""
    children = psutil.Process().children(recursive=True)
    return tuple(each for each in children if "kafka.Kafka" in each.cmdline())


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def module(*arguments: str) -> tuple[str, ...]:
    """The command that runs a module of this project."""
    return (sys.executable, "-m", *arguments)


@asynccontextmanager
async def process(
    command: Sequence[str], environment: Mapping[str, str], log: Path
) -> AsyncIterator[psutil.Process]:
    """Run a command until the end of the body; what it says goes to the log."""
    with log.open("ab") as output:
        child = await asyncio.create_subprocess_exec(
            *command, env=dict(environment), stdout=output, stderr=output
        )
    try:
        yield psutil.Process(child.pid)
    finally:
        with suppress(ProcessLookupError):
            child.terminate()
        try:
            async with asyncio.timeout(_end_timeout_s):
                await child.wait()
        except TimeoutError:
            child.kill()
            await child.wait()
