"""Cases of what Postgres and the object store hold."""

from tests.support.alert_cases.case import Case, pg

accepted = 'zcc_ingest_accepted_total{family="task"}'
stores = (
    Case(
        "ZccEventsMissing",
        {
            accepted: "0+100x40",
            'zcc_worker_records_total{worker="postgres"}': "0+100x10 1000x30",
            'zcc_worker_records_total{worker="object-storage"}': "0+100x40",
        },
        {"35m": [pg]},
        silent=("15m", "27m"),
        note="one of the two stores nothing",
    ),
    Case(
        "ZccEventsMissing",
        {accepted: "0+100x40"},
        {"8m": [pg, {"worker": "object-storage"}]},
        silent=("4m",),
        note="both are gone, and their counters with them",
    ),
    Case(
        "ZccRowsOutsidePartitions",
        {
            'zcc_postgres_default_partition_rows{table="raw_event",instance="a"}': "60x80 101x80",
            'zcc_postgres_default_partition_rows{table="raw_event",instance="b"}': "60x160",
        },
        {"115m": [{"table": "raw_event"}]},
        silent=("79m", "105m"),
        value="101",
        note="every pod shows the same figure of the one database",
    ),
    Case(
        "ZccModelLeavesOut",
        {
            'zcc_postgres_left_out_total{what="engagement"}': "0x5 1x30",
            'zcc_postgres_left_out_total{what="row"}': "0x35",
        },
        {"7m": [{"what": "engagement"}]},
        silent=("4m",),
    ),
    Case(
        "ZccObjectsSkipped",
        {"zcc_object_storage_skipped_rows_total": "0x5 900x80"},
        {"7m": [{}]},
        silent=("4m", "70m"),
    ),
)
