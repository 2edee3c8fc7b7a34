"""What the tests of the devstack share."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def folder() -> Iterator[Path]:
    """Not pytest's own, whose rights other runs of pytest take away meanwhile."""
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)
