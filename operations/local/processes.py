"""Child processes with their settings and logs; none outlives its parent."""

import asyncio
import ctypes
import os
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_last_lines: Final = 15
_pr_set_pdeathsig: Final = 1  # Linux, prctl(2)


@dataclass(frozen=True, slots=True)
class Crash:
    """A child that ended by itself."""

    name: str
    exit_code: int
    last_lines: str


class Process:
    """One `zcc` command as a child process whose output goes to a file.

    It may be started again after it has ended. On Linux the kernel ends it with its parent.
    """

    def __init__(
        self, name: str, arguments: tuple[str, ...], environment: Mapping[str, str], log: Path
    ) -> None:
        self.name = name
        self.log = log
        self._arguments = arguments
        self._environment = dict(environment)
        self._child: asyncio.subprocess.Process | None = None
        self._expected_to_live = False

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        return self._child.pid if self._child and self._child.returncode is None else None

    @property
    def exit_code(self) -> int | None:
        """How it ended, None while it runs or before it has run."""
        return self._child.returncode if self._child else None

    async def start(self) -> None:
        """Start it; its output is appended to the log."""
        with self.log.open("ab") as output:
            self._child = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "operations",
                *self._arguments,
                env=self._environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=_die_with_parent(),
            )
        self._expected_to_live = True

    async def stop(self, *, timeout_s: float) -> int | None:
        """Send SIGTERM, kill it after the time-out; return its exit code."""
        self._expected_to_live = False
        if self._child is None:
            return None
        if self._child.returncode is None:
            self._child.send_signal(signal.SIGTERM)
            try:
                async with asyncio.timeout(timeout_s):
                    await self._child.wait()
            except TimeoutError:
                await self.kill()
        return self._child.returncode

    async def kill(self) -> None:
        """Kill it with SIGKILL, as a lost machine would."""
        self._expected_to_live = False
        if self._child is not None and self._child.returncode is None:
            self._child.kill()
            await self._child.wait()

    def crash(self) -> Crash | None:
        """Return how it ended, None if it runs or was stopped."""
        if not self._expected_to_live or self._child is None or self._child.returncode is None:
            return None
        lines = self.log.read_text(errors="replace").splitlines()[-_last_lines:]
        return Crash(self.name, self._child.returncode, "\n".join(lines))


def _die_with_parent() -> Callable[[], None] | None:
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)
    parent = os.getpid()

    def ask_kernel() -> None:
        libc.prctl(_pr_set_pdeathsig, signal.SIGKILL)
        if os.getppid() != parent:  # the parent died between fork and prctl
            os._exit(1)

    return ask_kernel
