"""The modes of the files that a process creates."""

import os
from typing import Final

_forbidden_bits: Final = 0o027
"""Leaves 0640 of a new file, 0750 of a new folder: only owner and group may read personal data."""


def protect_new_files() -> None:
    """Hide all future files of this process from other users, from their creation on.

    For libraries that set no modes on files: the process's umask applies to them. A stricter umask
    stays in force.
    """
    os.umask(os.umask(_forbidden_bits) | _forbidden_bits)
