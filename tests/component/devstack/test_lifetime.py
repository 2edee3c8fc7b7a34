"""What is left when a stack ends, in each way that it can end."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

import devstack
from devstack import DevstackError, DevstackOptions, Part, PartCrashed
from devstack.locks import holder, is_free, try_lock
from devstack.process import end_leftover, lock_path
from tests.support.patience import HANG_GUARD_S, until

QUICK: frozenset[Part] = frozenset({"postgres", "s3"})

SCRIPT = """
import asyncio, sys
from pathlib import Path
import devstack
from devstack import DevstackOptions

async def main() -> None:
    folder = Path(sys.argv[1]) if sys.argv[1] else None
    parts = frozenset({"postgres", "s3"})
    async with devstack.running(DevstackOptions(directory=folder, parts=parts)) as stack:
        print(stack.directory, stack.postgres_dsn, flush=True)
        await stack.watch()

asyncio.run(main())
"""


@contextmanager
def stack_of_another_process(name: str) -> Iterator[tuple[subprocess.Popen[str], Path, str]]:
    command = [sys.executable, "-c", SCRIPT, name]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            directory, dsn = process.stdout.readline().split()
            yield process, Path(directory), dsn
        finally:
            process.kill()


def nothing_runs(directory: Path) -> bool:
    return all(is_free(lock_path(directory, part)) for part in QUICK)


def options(directory: Path | None, *parts: Part) -> DevstackOptions:
    return DevstackOptions(directory=directory, parts=frozenset(parts))


def kill_s3(directory: Path) -> None:
    pid = holder(lock_path(directory, "s3"))
    assert pid is not None
    os.kill(pid, signal.SIGKILL)


async def test_an_exception_of_the_body_stops_all_parts(folder: Path) -> None:
    async def fail() -> None:
        async with devstack.running(DevstackOptions(directory=folder, parts=QUICK)):
            assert not nothing_runs(folder)
            raise LookupError

    with pytest.raises(LookupError):
        await fail()
    assert nothing_runs(folder)


async def test_cancellation_stops_all_parts(folder: Path) -> None:
    with pytest.raises(TimeoutError):
        async with (
            devstack.running(DevstackOptions(directory=folder, parts=QUICK)) as stack,
            asyncio.timeout(0.01),
        ):
            await stack.watch()
    assert nothing_runs(folder)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
async def test_a_parent_that_is_killed_takes_all_parts_with_it(
    folder: Path, number: signal.Signals
) -> None:
    with stack_of_another_process(str(folder)) as (process, directory, dsn):
        async with await psycopg.AsyncConnection.connect(dsn):  # Postgres has a child for this
            process.send_signal(number)
            await until(lambda: process.poll() is not None, "the end of the process")
            await until(lambda: nothing_runs(directory), "the end of all parts")
    async with devstack.running(options(folder, "s3")) as again:
        assert again.s3_endpoint


async def test_ctrl_c_stops_all_parts_and_removes_a_temporary_folder() -> None:
    with stack_of_another_process("") as (process, directory, _):
        assert directory.exists()
        process.send_signal(signal.SIGINT)
        await until(lambda: process.poll() is not None, "the end of the process")
        assert not directory.exists()


async def test_the_next_start_removes_the_temporary_folder_of_a_killed_one() -> None:
    with stack_of_another_process("") as (process, directory, _):
        process.kill()
        await until(lambda: nothing_runs(directory), "the end of all parts")
    async with devstack.running(options(None, "s3")):
        assert not directory.exists()


async def test_a_second_stack_in_the_same_folder_is_refused_by_the_pid_of_the_first(
    folder: Path,
) -> None:
    async with devstack.running(options(folder, "s3")):
        with pytest.raises(DevstackError, match=f"in use by process {os.getpid()};"):
            async with devstack.running(options(folder, "s3")):
                pass


async def test_a_process_left_behind_is_ended_before_the_next_start(folder: Path) -> None:
    lock = lock_path(folder, "s3")
    descriptor = try_lock(lock)
    assert descriptor is not None
    left_behind = await asyncio.create_subprocess_exec("sleep", "60", pass_fds=[descriptor])
    os.write(descriptor, str(left_behind.pid).encode())
    os.close(descriptor)
    await end_leftover(lock)
    assert await left_behind.wait() == -signal.SIGKILL
    assert is_free(lock)


async def test_a_port_in_use_is_refused_and_nothing_is_left_running(folder: Path) -> None:
    async with devstack.running(options(folder / "first", "s3")) as first:
        port = int(first.s3_endpoint.rpartition(":")[2])
        wanted = DevstackOptions(directory=folder / "second", parts=QUICK, s3_port=port)
        with pytest.raises(DevstackError, match=f"port {port} of 127.0.0.1 cannot be had"):
            async with devstack.running(wanted):
                pass
    assert nothing_runs(folder / "second")


async def test_a_part_that_ends_at_its_start_is_reported_with_the_last_lines_of_its_log(
    folder: Path,
) -> None:
    (folder / "postgres").mkdir(mode=0o755)
    (folder / "postgres" / "PG_VERSION").write_text("18\n")  # and nothing else of a cluster
    with pytest.raises(
        PartCrashed, match=r"(?s)postgres ended with exit status.*postgres\.log:\n."
    ):
        async with devstack.running(DevstackOptions(directory=folder, parts=QUICK)):
            pass
    assert nothing_runs(folder)


async def test_a_part_that_dies_later_ends_the_watch_and_the_stack(folder: Path) -> None:
    async def crash() -> None:
        async with devstack.running(DevstackOptions(directory=folder, parts=QUICK)) as stack:
            kill_s3(folder)
            async with asyncio.timeout(HANG_GUARD_S):
                await stack.watch()

    with pytest.raises(PartCrashed, match=r"s3 ended with signal SIGKILL; the last lines of"):
        await crash()
    assert nothing_runs(folder)


async def test_a_part_that_died_is_a_note_on_the_failure_of_the_body(folder: Path) -> None:
    async def crash_and_fail() -> None:
        async with devstack.running(options(folder, "s3")) as stack:
            kill_s3(folder)
            with contextlib.suppress(PartCrashed):
                await stack.watch()  # until the event loop knows it too
            raise LookupError

    with pytest.raises(LookupError) as failure:
        await crash_and_fail()
    assert failure.value.__notes__[0].startswith("s3 ended with signal SIGKILL")
