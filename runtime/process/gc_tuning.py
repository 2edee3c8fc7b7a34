"""The garbage collector, set for processes that run for long on objects that die young.

By default it looks for cycles after 700 new objects, and now and then through all modules too. A
request or a batch is many objects and no cycle: the search took a third of the Postgres sink's time
and made most of the p99 of ingest.
"""

import gc
from typing import Final

for_requests: Final = 50_000
for_batches: Final = 400_000
"""About what the JSON of a full batch holds, all of which is alive at the same time."""


def tune_gc(new_objects: int = for_requests) -> None:
    """Leave what was made until now alone; look after so many ``new_objects`` that are still there.

    Call it once, before the work.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(new_objects, 20, 100)
