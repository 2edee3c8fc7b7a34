"""One program of the stack: started, probed until it answers, stopped, never left behind."""

import asyncio
import contextlib
import os
import signal
import stat
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from devstack import launch
from devstack.locks import holder, lock_within
from devstack.options import DevstackError, Part, PartCrashed

# A program that ends is noticed at once; these limits are for one that hangs, on any machine.
PREPARE_TIMEOUT_S = 300.0
GONE_TIMEOUT_S = 60.0
LEFTOVER_TIMEOUT_S = 2.0
POLL_S = 0.05
LAST_LINES = 30
LAST_BYTES = 16 * 1024
LOG_SIZE_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Program:
    """What to run for a part, and how to talk to it.

    `answers` is called until it returns True; instead of False it may raise OSError.
    """

    command: tuple[str, ...]
    answers: Callable[[int], Awaitable[bool]]
    stop_signal: signal.Signals = signal.SIGTERM
    death_signal: signal.Signals = signal.SIGKILL
    user: str = ""
    start_timeout_s: float = 300.0
    stop_timeout_s: float = 20.0


class RunningPart:
    """The process of one part, with its log and the lock file that outlives us."""

    def __init__(self, part: Part, program: Program, directory: Path) -> None:
        self._part = part
        self._program = program
        self._lock_path = lock_path(directory, part)
        self._process: asyncio.subprocess.Process | None = None
        self.log = directory / "logs" / f"{part}.log"

    async def start(self) -> None:
        """Start the program and wait until it answers; nothing to do where it runs.

        Raises:
            PartCrashed: it ended, or did not answer in time.
        """
        if self._process is not None and self._process.returncode is None:
            return
        with _opened_log(self.log) as log:
            self._process = await _spawned(
                self._program.command,
                self._lock_path,
                log.fileno(),
                death_signal=self._program.death_signal,
                user=self._program.user,
            )
        timeout_s = self._program.start_timeout_s
        try:
            async with asyncio.timeout(timeout_s):
                await self._answering(self._process)
        except TimeoutError:
            raise self._crash(f"did not answer within {timeout_s:g} s") from None

    async def stop(self) -> None:
        """Ask the program to end, kill it after a while, and return once all of it is gone."""
        await self._end(self._program.stop_signal)

    async def kill(self) -> None:
        """End the program at once, without a chance to tidy up."""
        await self._end(signal.SIGKILL)

    def check(self) -> None:
        """Raise PartCrashed if the program ended and nobody stopped it."""
        if self._process is not None and self._process.returncode is not None:
            raise self._crash(f"ended with {_described(self._process.returncode)}")

    async def _answering(self, process: asyncio.subprocess.Process) -> None:
        while True:
            self.check()
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                if await self._program.answers(process.pid):
                    return
            await asyncio.sleep(POLL_S)

    async def _end(self, number: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if process.returncode is None:
            _send(process.pid, number)
        try:
            await asyncio.wait_for(process.wait(), self._program.stop_timeout_s)
        except BaseException as error:
            _send(process.pid, signal.SIGKILL)
            if not isinstance(error, TimeoutError):
                raise
            await process.wait()
        await end_leftover(self._lock_path)

    def _crash(self, what: str) -> PartCrashed:
        return PartCrashed(self._part, what, self.log, last_lines(self.log))


def lock_path(directory: Path, part: Part) -> Path:
    """The file that a part's processes hold locked, and that has their pid in it."""
    return directory / f"{part}.pid"


async def end_leftover(lock: Path) -> None:
    """Wait for what an earlier start left behind, kill it if need be; nothing to do for nothing.

    A process whose parent died ends by itself on Linux, and Postgres's children when it is
    killed, so the wait comes first: the pid is only used where its process still lives.

    Raises:
        DevstackError: it does not go.
    """
    if await _is_free(lock, LEFTOVER_TIMEOUT_S):
        return
    pid = holder(lock)
    if pid is not None:
        _send(pid, signal.SIGKILL)
    if not await _is_free(lock, GONE_TIMEOUT_S):
        raise DevstackError(f"process {pid} of an earlier start does not end; end it by hand")


async def _is_free(lock: Path, timeout_s: float) -> bool:
    descriptor = await lock_within(lock, timeout_s)
    if descriptor is None:
        return False
    os.close(descriptor)
    return True


async def run_to_end(command: tuple[str, ...], lock: Path, *, user: str = "") -> None:
    """Run a program that prepares a part and ends by itself, under the part's lock.

    Raises:
        DevstackError: it failed; the message ends with the last lines of what it printed.
    """
    process = await _spawned(
        command, lock, asyncio.subprocess.PIPE, death_signal=signal.SIGKILL, user=user
    )
    try:
        async with asyncio.timeout(PREPARE_TIMEOUT_S):
            output, _ = await process.communicate()
    except BaseException:
        _send(process.pid, signal.SIGKILL)
        raise
    if process.returncode:
        raise DevstackError(f"{command[0]} failed:\n{_tail(output)}")


async def _spawned(
    command: tuple[str, ...],
    path: Path,
    output: int,
    *,
    death_signal: signal.Signals,
    user: str,
) -> asyncio.subprocess.Process:
    lock = await lock_within(path, GONE_TIMEOUT_S)
    if lock is None:
        raise DevstackError(f"{path} is held by a process that does not end")
    if user:
        _let_through(Path(command[0]))
        _let_through(path)
    launcher = (sys.executable, "-IS", launch.__file__, str(death_signal.value))
    try:
        return await asyncio.create_subprocess_exec(
            *(*launcher, str(os.getpid()), str(lock), user, *command),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=asyncio.subprocess.STDOUT,
            pass_fds=(lock,),
            start_new_session=True,  # a terminal's Ctrl-C is for us alone
        )
    finally:
        os.close(lock)


def _let_through(path: Path) -> None:
    """Let everybody walk (not look) through the folders above the path; we are root here.

    Before each start, as others take that right away again (pytest does from its folders).
    """
    for folder in path.parents:
        mode = stat.S_IMODE(folder.stat().st_mode)
        if not mode & stat.S_IXOTH:
            folder.chmod(mode | stat.S_IXOTH)


def _send(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def _opened_log(path: Path) -> BinaryIO:
    """Open a log for more lines; a long one of earlier starts becomes `.1`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size > LOG_SIZE_BYTES:
        path.replace(path.with_suffix(".log.1"))
    return path.open("ab")


def last_lines(path: Path) -> str:
    """The end of a log, for a message."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - LAST_BYTES))
        return _tail(file.read())


def _tail(output: bytes) -> str:
    return "\n".join(output.decode(errors="replace").splitlines()[-LAST_LINES:])


def _described(returncode: int) -> str:
    if returncode < 0:
        return f"signal {signal.Signals(-returncode).name}"
    return f"exit status {returncode}"
