"""lz4 as the producer of a hot path needs it.

The library always asks for level 9, which took a fifth of the processor time of ingest under load.
Level 1 makes records of webhooks 4 to 14 % larger than that at a third of the price (measured on
batches of 1 to 32 of them). There is no setting: neither the producer nor its batches take a level.
"""

from functools import partial

from aiokafka.codec import lz4_encode
from aiokafka.record._crecords import default_records

_level = 1


def compress_lightly() -> None:
    """Have all batches of this process compressed at the lowest level; may be called again."""
    default_records.lz4_encode = partial(lz4_encode, level=_level)
