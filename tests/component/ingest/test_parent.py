"""The parent of several processes, with children that misbehave on purpose instead of ingest."""

import asyncio
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from runtime.settings import KafkaSettings
from tests.support.ingest_processes import Pod, pod, until

parent = """
import asyncio, sys
from ingest.supervisor import run_processes
from ingest.settings import IngestSettings
from runtime.clock import SystemClock
from runtime.process.logs import configure_logs

class Hasty(SystemClock):
    async def sleep(self, delay_s):
        await super().sleep(delay_s / 20)

configure_logs()
sys.exit(asyncio.run(run_processes(IngestSettings(), sys.argv[1:], clock=Hasty())))
"""

waits = "import signal; signal.pause()"
notes_hangups = """
import signal, sys
handled = {signal.SIGHUP, signal.SIGTERM}
signal.pthread_sigmask(signal.SIG_BLOCK, handled)
sys.stderr.write('up\\n')
number = 0
while signal.sigwait(handled) == signal.SIGHUP:
    number += 1
    sys.stderr.write(f'hangup {number}\\n')
"""
ignores_sigterm = """
import signal, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)
sys.stderr.write('up\\n')
signal.pause()
"""
fails_to_drain = """
import signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
sys.stderr.write('up\\n')
signal.sigwait({signal.SIGTERM})
sys.exit(3)
"""
nobody = KafkaSettings(bootstrap_servers="127.0.0.1:1")


@asynccontextmanager
async def parent_of(program: str, *command: str) -> AsyncIterator[Pod]:
    """Run two of a Python program, or of another command."""
    arguments = ("-c", parent, *(command or (sys.executable, "-c", program)))
    async with pod(nobody, arguments, workers="2") as started:
        yield started


async def until_up(pod: Pod) -> None:
    await until(lambda: len(pod.logged("up\n")) == 2, pod)


async def test_a_process_that_does_not_last_is_started_again_after_growing_delays() -> None:
    async with parent_of("raise SystemExit(1)") as started:
        await until(lambda: len(started.logged("process ended, is started again")) >= 6, started)
        assert await started.stop() == 0
    restarts = started.logged("process ended, is started again")
    assert [entry["exit_code"] for entry in restarts] == [1] * len(restarts)
    assert [entry["delay_s"] for entry in restarts if entry["process"] == 0][:3] == [0.1, 0.2, 0.4]


async def test_a_process_that_cannot_be_started_is_tried_again() -> None:
    async with parent_of("", "/nowhere/python") as started:
        await until(lambda: len(started.logged("process ended, is started again")) >= 4, started)
        assert (
            started.logged("process cannot be started")[0]["reason"] == "No such file or directory"
        )
        assert await started.stop() == 0


async def test_wrong_settings_found_at_the_start_end_all_with_2() -> None:
    async with parent_of("raise SystemExit(2)") as started:
        assert await started.ended() == 2
    assert started.logged("process ended, is started again") == []


async def test_wrong_settings_found_later_leave_the_others_alone(tmp_path: Path) -> None:
    mark = tmp_path / "second"
    dies_then_refuses = f"""
import pathlib
mark = pathlib.Path({str(mark)!r})
if mark.exists():
    raise SystemExit(2)
mark.touch()
raise SystemExit(1)
"""
    async with pod(
        nobody, ("-c", parent, sys.executable, "-c", dies_then_refuses), workers="1"
    ) as one:
        await until(lambda: len(one.logged("process ended, is started again")) >= 3, one)
        assert await one.stop() == 0
    codes = [entry["exit_code"] for entry in one.logged("process ended, is started again")]
    assert codes[:3] == [1, 2, 2]


async def test_a_process_that_does_not_drain_in_time_is_killed_and_reported_by_the_exit_code() -> (
    None
):
    async with parent_of(ignores_sigterm) as started:
        await until_up(started)
        assert await started.stop() == 1
    assert len(started.logged("process killed: it did not drain")) == 2


async def test_a_process_that_drains_with_an_error_is_reported_by_the_exit_code() -> None:
    async with parent_of(fails_to_drain) as started:
        await until_up(started)
        assert await started.stop() == 1
    assert started.logged("process killed: it did not drain") == []


async def test_a_process_that_had_not_begun_to_listen_has_drained() -> None:
    async with parent_of(waits) as started:
        await until(lambda: len(started.children()) == 2, started)
        assert await started.stop() == 0


async def test_ctrl_c_drains_as_sigterm_does() -> None:
    async with parent_of(waits) as started:
        await until(lambda: len(started.children()) == 2, started)
        started.parent.send_signal(signal.SIGINT)
        assert await started.ended() == 0


async def test_sighup_is_passed_on_each_time() -> None:
    async with parent_of(notes_hangups) as started:
        await until_up(started)
        for number in (1, 2):
            started.parent.send_signal(signal.SIGHUP)
            text = f"hangup {number}\n"
            await until(lambda text=text: len(started.logged(text)) == 2, started)
        assert await started.stop() == 0


async def test_the_port_is_held_before_any_process_listens() -> None:
    async with parent_of(waits) as started:
        async with pod(nobody, port=str(started.port), workers="2") as other:
            assert await other.ended() == 2
        assert f"ZCC_INGEST_PORT: cannot listen on 127.0.0.1:{started.port}" in str(other.log)
        with socket.socket() as client:
            assert client.connect_ex(("127.0.0.1", started.port)) != 0
        assert await started.stop() == 0


async def test_a_process_whose_parent_is_gone_before_it_can_ask_ends_at_once() -> None:
    program = (
        "from runtime.process.parent_death import end_with_parent;"
        " end_with_parent(2**30); print('alive')"
    )
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await child.communicate()
    assert (child.returncode, out) == (-signal.SIGTERM, b"")


async def test_the_limit_of_open_files_is_raised_to_what_the_system_allows() -> None:
    program = """
import resource
from runtime.process.open_files import raise_open_files_limit
_, most = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (64, most))
raise_open_files_limit()
assert resource.getrlimit(resource.RLIMIT_NOFILE) == (most, most)
"""
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", program)
    assert await child.wait() == 0
