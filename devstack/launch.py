"""Becomes another program that ends when its parent does.

Run as a script by devstack.process, with the arguments: number of the signal that the program
gets when its parent dies, pid of the parent, descriptor of the locked file that says who runs
here, user to become (empty: none), then the program and its arguments. Imports little, as each
start of a part waits for it.
"""

import ctypes
import os
import pwd
import sys

PR_SET_PDEATHSIG = 1  # Source: linux/prctl.h


def main(arguments: list[str]) -> None:
    """Lock file, user, fate, program: in this order, as a change of user forgets the fate."""
    death_signal, parent, lock, user, *command = arguments
    os.ftruncate(int(lock), 0)
    os.pwrite(int(lock), str(os.getpid()).encode(), 0)
    if user:
        become(user)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(death_signal))
    if os.getppid() != int(parent):  # it died before the line above
        sys.exit("the parent is gone")
    os.execv(command[0], command)  # noqa: S606 - starting that program is the purpose


def become(user: str) -> None:
    """Give up the rights of root for good."""
    entry = pwd.getpwnam(user)
    os.setgroups([])
    os.setgid(entry.pw_gid)
    os.setuid(entry.pw_uid)


if __name__ == "__main__":
    main(sys.argv[1:])
