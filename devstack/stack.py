"""Starts the parts together, provides their addresses, and stops them in any case."""

import asyncio
import contextlib
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Coroutine, Iterable, Iterator, Mapping
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from devstack import s3
from devstack.kafka import kafka_program
from devstack.locks import holder, is_free, try_lock
from devstack.options import (
    ALL_PARTS,
    DEFAULT_OPTIONS,
    DevstackError,
    DevstackOptions,
    Part,
    PartCrashed,
)
from devstack.ports import HOST, reserve
from devstack.postgres import SUPERUSER, postgres_program
from devstack.process import Program, RunningPart, end_leftover, lock_path

WATCH_INTERVAL_S = 0.2
TEMPORARY_PREFIX = "zcc-devstack-"
LOCK_NAME = "lock"


@dataclass(frozen=True, slots=True)
class Stack:
    """The addresses of the parts that run; those of parts that were not requested are empty."""

    directory: Path
    bootstrap_servers: str
    postgres_dsn: str
    s3_endpoint: str
    s3_access_key: str
    s3_secret_key: str
    s3_bucket: str
    _parts: Mapping[Part, RunningPart] = field(repr=False)

    async def start(self, part: Part) -> None:
        """Start a stopped part again, on its port and its data; nothing to do where it runs.

        Raises:
            PartCrashed: it ended, or did not answer in time.
        """
        await self._parts[part].start()

    async def stop(self, part: Part) -> None:
        """Stop a part in good order."""
        await self._parts[part].stop()

    async def kill(self, part: Part) -> None:
        """End a part as a power cut would."""
        await self._parts[part].kill()

    def check(self) -> None:
        """Look once.

        Raises:
            PartCrashed: a part ended and nobody stopped it.
        """
        for part in self._parts.values():
            part.check()

    async def watch(self) -> None:
        """Wait, for ever, for a part that ends unasked.

        Raises:
            PartCrashed: it happened.
        """
        while True:
            self.check()
            await asyncio.sleep(WATCH_INTERVAL_S)

    def log(self, part: Part) -> Path:
        """The file with what the part has to say."""
        return self._parts[part].log


@asynccontextmanager
async def running(options: DevstackOptions = DEFAULT_OPTIONS) -> AsyncIterator[Stack]:
    """Start the parts at the same time, wait until each answers, and stop them at the end.

    Whatever ends the body (an exception, cancellation) stops them too; on Linux they also end
    when this process is killed. The thread that enters must live as long as the body.

    Raises:
        DevstackError: the folder or a port is in use, or a part cannot be fetched.
        PartCrashed: a part ended at its start, or unasked and unnoticed during the body. An
            exception of the body gets it as a note instead.
    """
    async with _folder(options.directory) as directory:
        parts: dict[Part, RunningPart] = {}
        with ExitStack() as reservations:
            try:
                stack = await _started(options, directory, parts, reservations)
                with _crashes_reported(stack):
                    yield stack
            finally:
                await _together(part.stop() for part in parts.values())


async def _started(
    options: DevstackOptions,
    directory: Path,
    parts: dict[Part, RunningPart],
    reservations: ExitStack,
) -> Stack:
    def port(wanted: int) -> int:
        reserved = reserve(wanted)
        reservations.callback(reserved.release)
        return reserved.number

    ports = {part: port(options.ports[part]) for part in sorted(options.parts)}
    controller_port = port(0)

    async def start(part: Part) -> None:
        program = await _program(part, directory, ports[part], controller_port)
        parts[part] = RunningPart(part, program, directory)
        await parts[part].start()

    await _together(start(part) for part in ports)
    return _stack(directory, ports, parts)


async def _program(part: Part, directory: Path, port: int, controller_port: int) -> Program:
    match part:
        case "kafka":
            return await kafka_program(directory, port, controller_port)
        case "postgres":
            return await postgres_program(directory, port)
        case "s3":
            return await s3.s3_program(directory, port)


def _stack(directory: Path, ports: Mapping[Part, int], parts: Mapping[Part, RunningPart]) -> Stack:
    def address(part: Part, form: str) -> str:
        return form.format(host=HOST, port=ports[part]) if part in ports else ""

    return Stack(
        directory=directory,
        bootstrap_servers=address("kafka", "{host}:{port}"),
        postgres_dsn=address("postgres", f"postgresql://{SUPERUSER}@{{host}}:{{port}}/postgres"),
        s3_endpoint=address("s3", "http://{host}:{port}"),
        s3_access_key=s3.ACCESS_KEY,
        s3_secret_key=s3.SECRET_KEY,
        s3_bucket=s3.BUCKET,
        _parts=parts,
    )


@contextmanager
def _crashes_reported(stack: Stack) -> Iterator[None]:
    try:
        yield
    except PartCrashed:
        raise
    except BaseException as error:
        try:
            stack.check()
        except PartCrashed as crash:
            error.add_note(str(crash))
        raise
    stack.check()


async def _together(works: Iterable[Coroutine[None, None, None]]) -> None:
    """Run all at once; the first failure cancels the rest and is raised as it is."""
    try:
        async with asyncio.TaskGroup() as group:
            for work in works:
                group.create_task(work)
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None


@asynccontextmanager
async def _folder(wanted: Path | None) -> AsyncIterator[Path]:
    """The folder of the data, ours alone, with nothing of an earlier start running in it."""
    if wanted is not None:
        with _held(wanted) as directory:
            await _together(end_leftover(lock_path(directory, part)) for part in sorted(ALL_PARTS))
            yield directory
        return
    await asyncio.to_thread(_remove_abandoned)
    with _held(Path(tempfile.mkdtemp(prefix=TEMPORARY_PREFIX))) as directory:
        try:
            yield directory
        finally:
            await asyncio.to_thread(shutil.rmtree, directory, ignore_errors=True)


@contextmanager
def _held(folder: Path) -> Iterator[Path]:
    """Make the folder where it is new, and hold its lock; a second stack is refused."""
    directory = folder.absolute()
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / LOCK_NAME
    lock = try_lock(path)
    if lock is None:
        raise DevstackError(
            f"{directory} is in use by process {holder(path)}; stop it, or name another folder"
        )
    try:
        os.truncate(lock, 0)
        os.pwrite(lock, str(os.getpid()).encode(), 0)
        yield directory
    finally:
        os.close(lock)


def _remove_abandoned() -> None:
    """Remove temporary folders of starts that were killed and could not do it themselves."""
    for path in Path(tempfile.gettempdir()).glob(f"{TEMPORARY_PREFIX}*/{LOCK_NAME}"):
        with contextlib.suppress(OSError):  # somebody else's, or gone meanwhile
            lock = try_lock(path)
            if lock is None:
                continue
            try:
                if all(is_free(lock_path(path.parent, part)) for part in ALL_PARTS):
                    shutil.rmtree(path.parent)
            finally:
                os.close(lock)
