"""The actions of `zcc rehearse` on a store of a running `zcc up`."""

from enum import StrEnum


class RehearsedAction(StrEnum):
    """The word on the command line, which is also that on the socket."""

    STOP = "stop"
    KILL = "kill"
    START = "start"
