"""Programs that misbehave at their start and at their end."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from devstack import DevstackError, PartCrashed, launch
from devstack.locks import holder, is_free, try_lock
from devstack.process import (
    LAST_LINES,
    LOG_SIZE_BYTES,
    Program,
    RunningPart,
    last_lines,
    lock_path,
    run_to_end,
)


async def yes(_pid: int) -> bool:
    return True


async def no(_pid: int) -> bool:
    return False


def shell(script: str) -> tuple[str, ...]:
    return ("/bin/sh", "-c", script)


def part(directory: Path, program: Program) -> RunningPart:
    return RunningPart("s3", program, directory)


async def test_a_program_that_never_answers_is_reported_with_its_last_lines(tmp_path: Path) -> None:
    program = Program(
        shell("echo thinking; exec sleep 60"),
        no,
        signal.SIGTERM,
        signal.SIGKILL,
        start_timeout_s=0.5,
    )
    running = part(tmp_path, program)
    with pytest.raises(PartCrashed, match=r"(?s)did not answer within 0\.5 s.*thinking"):
        await running.start()
    await running.stop()
    assert is_free(lock_path(tmp_path, "s3"))


async def test_a_program_that_will_not_stop_is_killed(tmp_path: Path) -> None:
    async def is_deaf(_pid: int) -> bool:
        return "deaf" in last_lines(running.log)

    program = Program(
        shell("trap '' TERM; echo deaf; while :; do sleep 0.1; done"),
        is_deaf,
        signal.SIGTERM,
        signal.SIGKILL,
        stop_timeout_s=0.2,
    )
    running = part(tmp_path, program)
    await running.start()
    await running.stop()
    running.check()
    assert is_free(lock_path(tmp_path, "s3"))


async def test_the_lock_file_names_the_program_that_runs(tmp_path: Path) -> None:
    pids: list[int] = []

    async def remember(pid: int) -> bool:
        pids.append(pid)
        return holder(lock_path(tmp_path, "s3")) == pid

    running = part(
        tmp_path, Program(shell("exec sleep 60"), remember, signal.SIGTERM, signal.SIGKILL)
    )
    await running.start()
    assert holder(lock_path(tmp_path, "s3")) == pids[0]
    await running.kill()


async def test_a_preparation_that_fails_is_reported_with_its_output(tmp_path: Path) -> None:
    with pytest.raises(DevstackError, match=r"/bin/sh failed:\nno room left"):
        await run_to_end(shell("echo no room left >&2; exit 3"), tmp_path / "lock")


async def test_a_long_log_of_earlier_starts_is_rotated(tmp_path: Path) -> None:
    running = part(tmp_path, Program(shell("exec sleep 60"), yes, signal.SIGTERM, signal.SIGKILL))
    running.log.parent.mkdir()
    running.log.write_bytes(b"x" * (LOG_SIZE_BYTES + 1))
    await running.start()
    await running.stop()
    assert running.log.with_suffix(".log.1").stat().st_size > LOG_SIZE_BYTES
    assert running.log.stat().st_size == 0


def test_the_last_lines_of_a_log_are_its_end_and_not_all_of_it(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("".join(f"line {number}\n" for number in range(10_000)))
    lines = last_lines(log).splitlines()
    assert len(lines) == LAST_LINES
    assert lines[-1] == "line 9999"


def test_a_program_is_not_begun_for_a_parent_that_is_gone(tmp_path: Path) -> None:
    descriptor = try_lock(tmp_path / "lock")
    assert descriptor is not None
    not_the_parent = "1" if os.getpid() != 1 else "2"
    arguments = [str(signal.SIGKILL.value), not_the_parent, str(descriptor), "", "/bin/true"]
    done = subprocess.run(
        [sys.executable, "-IS", launch.__file__, *arguments],
        pass_fds=[descriptor],
        capture_output=True,
        text=True,
        check=False,
    )
    os.close(descriptor)
    assert (done.returncode, done.stderr) == (1, "the parent is gone\n")
