"""Tunes the garbage collector for long-running processes with short-lived objects.

By default it searches for cycles after 700 new objects, and at times through all modules too. A
request or a batch is many objects without cycles: the search took a third of the Postgres sink's
time and most of the p99 of ingest.
"""

import gc
from typing import Final

for_requests: Final = 50_000
for_batches: Final = 400_000
"""About the number of objects in the JSON of a full batch, which are alive at the same time."""


def tune_gc(new_objects: int = for_requests) -> None:
    """Exempt all present objects, and search only after this many surviving ``new_objects``.

    Call it once, before the work.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(new_objects, 20, 100)
