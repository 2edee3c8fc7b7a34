"""Which tests one worker of pytest-xdist runs after another, and in which order.

Each worker has a broker, a database server and an S3 server of its own. A file stays on one
worker, as its tests share module fixtures. What loads the whole machine is one group, so that no
two of its tests run beside each other; it comes first, as it is the longest.
"""

from xdist.scheduler.loadfile import LoadFileScheduling

WHOLE_MACHINE = ("tests/faults/", "tests/end_to_end/")

SPLIT = frozenset({"tests/property/runtime/test_simulation.py"})
"""Long files without module fixtures, of which each function is a group."""


def is_whole_machine(nodeid: str) -> bool:
    return nodeid.startswith(WHOLE_MACHINE)


def group(nodeid: str) -> str:
    """The tests of one group run one after another on one worker."""
    if is_whole_machine(nodeid):
        return "whole machine"
    file = nodeid.partition("::")[0]
    return nodeid.partition("[")[0] if file in SPLIT else file


class GroupScheduling(LoadFileScheduling):  # type: ignore[misc] # pytest-xdist's classes
    """Hands groups to workers in the order of collection."""

    def _split_scope(self, nodeid: str) -> str:
        return group(nodeid)
