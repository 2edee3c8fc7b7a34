"""Cases of workers."""

from tests.support.alert_cases.case import Case, lag, pg

workers = (
    Case(
        "ZccEventsLate",
        {
            lag("zcc.postgres"): "0x5 200x20",
            lag("zcc.enrichment"): "170x25",
            lag("zcc.enrichment-retry"): "9000x25",
            'zcc_worker_oldest_unfinished_seconds{worker="postgres",instance="a"}': "0x25",
        },
        {"10m": [pg]},
        silent=("5m", "7m"),
        value="3m 20s",
        note="flat, seen from outside while the worker says nothing",
    ),
    Case(
        "ZccEventsLate",
        {
            'zcc_worker_lag_seconds{worker="postgres",topic="a",partition="0"}': "0x5 185x20",
            'zcc_worker_lag_seconds{worker="postgres",topic="a",partition="1"}': "0x25",
            'zcc_worker_oldest_unfinished_seconds{worker="enrichment"}': "0x5 185x20",
        },
        {"10m": [pg, {"worker": "enrichment"}]},
        value="3m 5s",
        note="seen from inside while the monitor is away",
    ),
    Case(
        "ZccWorkerFallsBehind",
        {lag("zcc.postgres"): "100x40", lag("zcc.object-storage"): "10 70 130 " * 14},
        {"31m": [{"group": "zcc.postgres"}]},
        silent=("29m",),
        note="a sink that stores once a minute is none",
    ),
    Case(
        "ZccRetentionNears",
        {
            lag("zcc.postgres"): "0x5 302400x2 302460x20",
            'zcc_monitor_topic_retention_seconds{topic="zcc.enriched.task.v1"}': "604800x30",
            lag("zcc.postgres", "zcc.kept.v1"): "9999999x30",
            'zcc_monitor_topic_retention_seconds{topic="zcc.kept.v1"}': "-0.001x30",
        },
        {"20m": [{"group": "zcc.postgres", "topic": "zcc.enriched.task.v1"}]},
        silent=("7m", "12m"),
        value="3d 12h 1m 0s",
        note="a topic that keeps its records for ever loses none",
    ),
    Case(
        "ZccRecordsExpired",
        {
            'zcc_worker_expired_records_total{group="g",topic="old",partition="0"}': "0x5 12x80",
            'zcc_worker_expired_records_total{group="g",topic="new",partition="0"}': "_x5 12x80",
            'zcc_monitor_group_expired_records{group="zcc.object-storage",topic="t"}': "0x5 3 0x80",
        },
        {
            "6m": [
                {"group": "g", "topic": "old"},
                {"group": "g", "topic": "new"},
                {"group": "zcc.object-storage", "topic": "t"},
            ],
            "30m": [{"group": "g", "topic": "old"}, {"group": "g", "topic": "new"}],
        },
        silent=("4m", "70m"),
        note="while it runs, at its start, and from outside",
    ),
    Case(
        "ZccTopicRecreated",
        {
            'zcc_worker_recreated_topics_total{worker="postgres",topic="old"}': "0x5 1x80",
            'zcc_worker_recreated_topics_total{worker="postgres",topic="new"}': "_x5 1x80",
            'zcc_postgres_recreated_partitions_total{topic="stored"}': "0x5 3x80",
            'zcc_postgres_recreated_partitions_total{topic="other"}': "0x85",
            'zcc_monitor_recreated_topics_total{topic="seen"}': "0x5 1x80",
        },
        {
            "7m": [
                {**pg, "topic": "old"},
                {**pg, "topic": "new"},
                {**pg, "topic": "stored"},
                {"topic": "seen"},
            ]
        },
        silent=("4m", "70m"),
        note="while it runs, and at its start",
    ),
    Case(
        "ZccPartitionPaused",
        {'zcc_worker_paused_partitions{worker="postgres",instance="a"}': "0x5 2x9 0x5"},
        {"9m": [pg]},
        silent=("5m", "18m"),
        value="2",
    ),
    Case(
        "ZccWorkerHalted",
        {
            'zcc_worker_halted{worker="postgres"}': "0 0 1x9",
            'zcc_worker_halted{worker="x"}': "0 0 1 0x8",
        },
        {"5m": [pg]},
        silent=("1m", "3m"),
    ),
    Case(
        "ZccCorrectionsLate",
        {
            lag("zcc.enrichment-retry"): "0x5 1300x20",
            lag("zcc.postgres"): "9000x25",
            'zcc_worker_oldest_unfinished_seconds{worker="postgres"}': "9000x25",
        },
        {"13m": [{"worker": "enrichment-retry"}]},
        silent=("9m",),
        value="21m 40s",
    ),
    Case(
        "ZccRecordsFailed",
        {
            'zcc_worker_dead_letters_total{worker="postgres",reason="unreadable"}': "0x10 1x40",
            'zcc_monitor_failed_end_offsets{topic="zcc.dead-letter.x.v1"}': "7x10 8x40",
            'zcc_monitor_failed_end_offsets{topic="zcc.quarantine.v1"}': "0+1x50",
        },
        {"12m": [{**pg, "reason": "unreadable"}, {"topic": "zcc.dead-letter.x.v1"}]},
        silent=("9m", "30m"),
        note="by the counter, and by the topic where the counter died with its process",
    ),
)
