import os
import subprocess
from pathlib import Path

from devstack.locks import holder, is_free, lock_within, try_lock


def test_a_lock_has_one_holder_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    descriptor = try_lock(path)
    assert descriptor is not None
    assert try_lock(path) is None
    assert not is_free(path)
    os.close(descriptor)
    assert is_free(path)


def test_a_child_holds_on_to_the_lock_after_its_parent_let_go(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    descriptor = try_lock(path)
    assert descriptor is not None
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, pass_fds=[descriptor]) as child:
        os.close(descriptor)
        assert not is_free(path)
        assert child.stdin is not None
        child.stdin.close()
        child.wait()
        assert is_free(path)


async def test_waiting_for_a_lock_ends_at_its_time_limit(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    descriptor = try_lock(path)
    assert descriptor is not None
    assert await lock_within(path, 0.05) is None
    os.close(descriptor)
    again = await lock_within(path, 0.05)
    assert again is not None
    os.close(again)


def test_a_holder_is_known_by_the_pid_that_it_wrote(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    path.write_text("")
    assert holder(path) is None
    path.write_text("123")
    assert holder(path) == 123
