"""Ends a process when its parent is killed."""

import ctypes
import os
import signal
from typing import Final

_pr_set_pdeathsig: Final = 1
"""Source: Linux, prctl(2)."""


def end_with_parent(parent_pid: int) -> None:
    """Have the kernel send this process SIGTERM when its parent ends, for any reason.

    SIGTERM comes at once where the parent has already ended. Linux only.
    """
    ctypes.CDLL(None).prctl(_pr_set_pdeathsig, signal.SIGTERM)
    if os.getppid() != parent_pid:
        signal.raise_signal(signal.SIGTERM)
