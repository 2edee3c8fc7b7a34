"""Free ports for servers that a test starts."""

from devstack.ports import reserve


def free_port() -> int:
    """Return a port that nobody uses, and that no outgoing connection takes meanwhile."""
    port = reserve(0)
    port.release()
    return port.number
