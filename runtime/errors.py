"""Pure: errors by fault; the runtime decides by class, never by message.

Any other exception is a defect of our code.
"""

from schemas.reasons import DeadLetterReason


class TransientError(Exception):
    """A fault outside the process that will pass: try again, and make no dead letter for it.

    ``retry_after_s`` is the other side's demand, None without one.
    """

    def __init__(self, message: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class RejectedError(Exception):
    """The record's fault: no retry will mend it; it goes to the dead letters at once."""

    def __init__(self, reason: DeadLetterReason, detail: str) -> None:
        super().__init__(f"{reason.value}: {detail}")
        self.reason = reason
        self.detail = detail


class KeyRejectedError(RejectedError):
    """As well, and later records of its key make no sense without it: park the key."""


class ConfigurationError(Exception):
    """The operator's fault: refuse to start, or halt; the message says what to do."""


class RestartNeededError(ConfigurationError):
    """An automatic retry would do harm: halt until a person restarts the process."""


class TooManyDeadLettersError(RestartNeededError):
    """The guard refuses dead letters of several topics: no further dead letter is written."""


class PartitionPausedError(Exception):
    """The guard refuses a dead letter: its record stays undone and its partition is paused."""


class FencedError(Exception):
    """Another owner has taken the partitions: forget this assignment, nothing was stored."""
