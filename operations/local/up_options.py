"""The options of `zcc up`."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class UpOptions:
    """The options of a run. ``events`` 0 = endless; rates and shares are those of the simulator.

    ``linger`` keeps everything running after the last event, until Ctrl-C.
    """

    events: int
    rate_per_s: float
    duplicates: float
    reorder: float
    time_scale: float
    seed: int
    settle_timeout_s: float
    linger: bool
