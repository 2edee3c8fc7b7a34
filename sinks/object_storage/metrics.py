"""Metrics of the object storage sink."""

from typing import Final

from prometheus_client import Counter

from runtime.process.metrics_exposition import choose_value_storage

choose_value_storage()


class ObjectStorageMetrics:
    """The metrics of the object storage sink."""

    objects: Final = Counter("zcc_object_storage_objects_total", "Objects created")
    rows: Final = Counter("zcc_object_storage_rows_total", "Rows in created objects")
    stored: Final = Counter("zcc_object_storage_bytes_total", "Bytes of created objects")
    adopted: Final = Counter(
        "zcc_object_storage_adopted_total", "Objects of an earlier run found complete after a crash"
    )
    skipped: Final = Counter(
        "zcc_object_storage_skipped_rows_total",
        "Records skipped because the committed offset was lower than that of the stored objects",
    )
    listed_pages: Final = Counter(
        "zcc_object_storage_listed_pages_total",
        "Pages of up to 1,000 objects listed to find the last stored offset",
    )


metrics: Final = ObjectStorageMetrics()
