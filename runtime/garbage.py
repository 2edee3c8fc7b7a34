"""The garbage collector, set for processes that run for long on objects that die young.

By default it looks for cycles after 700 new objects, and now and then through all modules too. A
request or a batch is many objects and no cycle: the search took a third of the Postgres sink's time
and made most of the p99 of ingest.
"""

import gc
from typing import Final

_thresholds: Final = (400_000, 20, 100)  # the first is about what a full batch holds


def settle_garbage_collection() -> None:
    """Leave what was made until now alone, and look less often; call once, before the work."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_thresholds)
