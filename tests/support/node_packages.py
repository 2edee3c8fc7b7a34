"""Packages of npm that tests run, installed from the committed lock into ``tests/support/node``.

Node is not on every machine: a test that needs it is skipped where it is not, and says so.
"""

import hashlib
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.patience import HANG_GUARD_S

FOLDER = Path(__file__).parent / "node"
LEAST_MAJOR = 20


def node_packages() -> Path:
    """The folder to run `node` in, with all packages of the lock in place; else skip the test."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("Node and npm are not on this machine")
    if _major_version(node) < LEAST_MAJOR:
        pytest.skip(f"Node is older than version {LEAST_MAJOR}")
    lock = hashlib.sha256((FOLDER / "package-lock.json").read_bytes()).hexdigest()
    stamp = FOLDER / "node_modules" / ".installed"
    if not stamp.is_file() or stamp.read_text() != lock:
        _install(npm)
        stamp.write_text(lock)
    return FOLDER


def _major_version(node: str) -> int:
    output = subprocess.run([node, "--version"], check=True, capture_output=True, text=True).stdout
    match = re.match(r"v(\d+)", output)
    return int(match[1]) if match else 0


def _install(npm: str) -> None:
    command = [npm, "ci", "--no-fund", "--no-audit"]
    try:
        done = subprocess.run(
            command,
            cwd=FOLDER,
            check=False,
            capture_output=True,
            text=True,
            timeout=HANG_GUARD_S,
        )
    except subprocess.TimeoutExpired:
        pytest.skip(f"npm ci was not done after {HANG_GUARD_S} s")
    if done.returncode:
        pytest.skip(f"npm ci failed: {done.stderr.strip().splitlines()[-1:]}")
