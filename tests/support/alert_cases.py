"""What each alert is tried on: series as Prometheus would have scraped them, and what has to fire.

The notation is promtool's: ``0+10x5`` is 0, 10, … 50; ``1x3`` is 1 four times; ``_x3`` is nothing
three times. A sample is a minute, so the 30th of a series is scraped at 30m.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Case:
    """One course of things.

    ``fires`` has what is firing at a moment: the labels, beside the severity, of each instance.
    ``value`` is the text that stands in the annotations.
    """

    alert: str
    series: Mapping[str, str]
    fires: Mapping[str, list[dict[str, str]]]
    silent: tuple[str, ...] = ()
    value: str = ""
    minutes: int = 1
    note: str = field(default="", kw_only=True)


def part(name: str, instance: str, job: str = "zcc") -> str:
    return f'zcc_process_start_time_seconds{{part="{name}",job="{job}",instance="{instance}"}}'


def lag(group: str, topic: str = "zcc.enriched.task.v1") -> str:
    return f'zcc_monitor_group_lag_seconds{{group="{group}",topic="{topic}"}}'


pg = {"worker": "postgres"}
sink = {"job": "zcc", "instance": "sink:9100"}

parts = (
    Case(
        "ZccPartDown",
        {
            'up{job="zcc",instance="sink:9100"}': "1x5 0x10",
            'up{job="kubernetes-pods",instance="10.0.0.7:9100"}': "1x5 0x10",
            part("postgres", "10.0.0.7:9100", "kubernetes-pods"): "77x5 _x10",
            'up{job="kubernetes-pods",instance="10.0.0.8:80"}': "0x20",
            'up{job="zcc",instance="blip:9100"}': "1x5 0 1x10",
        },
        {"9m": [sink, {"job": "kubernetes-pods", "instance": "10.0.0.7:9100"}]},
        silent=("5m", "7m"),
        note="a job named zcc…, and what has told its part before; not other pods, not a blip",
    ),
    Case(
        "ZccPartRestarts",
        {part("postgres", "sink:9100"): "1000x5 1060+60x20"},
        {"12m": [{"part": "postgres", **sink}]},
        silent=("5m", "7m"),
        note="each scrape finds another process",
    ),
    Case(
        "ZccPartRestarts",
        {
            'up{job="zcc",instance="sink:9100"}': "1 0 0 0 1 0 0 0 1 0 0 0 1 0 0 0 1 0 0 0",
            'up{job="zcc",instance="well:9100"}': "1x7 0 1x20",
            'up{job="zcc",instance="gone:9100"}': "1x7 0x20",
            part("postgres", "sink:9100"): "1000 _x19",
        },
        {"16m": [sink]},
        silent=("3m",),
        note="mostly away, and never seen twice; one that stays away is another alert's",
    ),
    Case(
        "ZccPartRestarts",
        {'zcc_ingest_restarts_total{job="zcc",instance="ingest:9100"}': "0x5 1+1x10 11x20"},
        {"14m": [{"job": "zcc", "instance": "ingest:9100"}]},
        silent=("5m", "34m"),
        note="one of several processes behind a parent that stays",
    ),
    Case(
        "ZccPartRestarts",
        {part("postgres", "sink:9100"): "1000x5 1300x5 1600x20"},
        {},
        silent=("12m", "20m"),
        note="two rollouts are none",
    ),
    Case(
        "ZccIngestMissing",
        {part("ingest", "ingest:9100"): "77x5 _x20", part("postgres", "sink:9100"): "77x30"},
        {"20m": [{"part": "ingest"}]},
        silent=("5m",),
    ),
    Case(
        "ZccGroupWithoutMembers",
        {
            'zcc_monitor_group_members{group="zcc.postgres"}': "1x5 0x10",
            'zcc_monitor_group_members{group="zcc.enrichment"}': "2x20",
        },
        {"12m": [{"group": "zcc.postgres"}]},
        silent=("9m",),
    ),
    Case(
        "ZccMonitorBlind",
        {"zcc_monitor_last_look_timestamp_seconds": "0+60x5 300x20"},
        {"15m": [{}]},
        silent=("5m", "8m"),
        note="it runs, and the brokers do not answer",
    ),
    Case("ZccMonitorBlind", {"up": "1x20"}, {"6m": [{}]}, silent=("4m",), note="it is not there"),
)

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
        "ZccTopicMadeAnew",
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
        "ZccRecordsSetAside",
        {
            'zcc_worker_dead_letters_total{worker="postgres",reason="unreadable"}': "0x10 1x40",
            'zcc_monitor_set_aside_end_offsets{topic="zcc.dead-letter.x.v1"}': "7x10 8x40",
            'zcc_monitor_set_aside_end_offsets{topic="zcc.quarantine.v1"}': "0+1x50",
        },
        {"12m": [{**pg, "reason": "unreadable"}, {"topic": "zcc.dead-letter.x.v1"}]},
        silent=("9m", "30m"),
        note="by the counter, and by the topic where the counter died with its process",
    ),
)

refused = {"app": "default", "reason": "signature"}
ingest = (
    Case(
        "ZccWebhooksRefused",
        {'zcc_ingest_refused_total{app="default",reason="signature"}': "0x3 60+60x20"},
        {"9m": [refused]},
        silent=("3m",),
    ),
    Case(
        "ZccWebhookTooLarge",
        {
            'zcc_ingest_refused_total{app="default",reason="too_large"}': "0x10 1x30",
            'zcc_ingest_refused_total{app="default",reason="too_slow"}': "0+1x40",
            'zcc_ingest_unavailable_total{reason="over_limit"}': "0x10 1x30",
        },
        {"12m": [{"reason": "too_large"}, {"reason": "over_limit"}]},
        silent=("10m", "30m"),
    ),
    Case(
        "ZccWebhooksKeptOut",
        {
            'zcc_ingest_unavailable_total{reason="foreign_account"}': "0x10 1x30",
            'zcc_ingest_unavailable_total{reason="deadline"}': "0+1x40",
        },
        {"13m": [{"reason": "foreign_account"}]},
        silent=("10m", "20m"),
    ),
    Case(
        "ZccWebhooksNotKept",
        {
            'zcc_ingest_unavailable_total{reason="refused"}': "0x10 1x30",
            'zcc_ingest_unavailable_total{reason="deadline"}': "0+1x40",
        },
        {"13m": [{"reason": "refused"}]},
        silent=("10m", "20m"),
    ),
    Case(
        "ZccRecordsRefused",
        {'zcc_publisher_refused_records_total{limit="max.message.bytes"}': "0x10 1x30"},
        {"12m": [{"limit": "max.message.bytes"}]},
        silent=("10m", "30m"),
    ),
    Case(
        "ZccProducersReplaced",
        {"zcc_publisher_replaced_total": "0x5 1+1x8 9x30"},
        {"15m": [{}]},
        silent=("6m", "38m"),
    ),
    Case(
        "ZccIngestCrowded",
        {
            'zcc_ingest_crowded_out_total{state="unfinished"}': "0x5 120+120x30",
            'zcc_ingest_crowded_out_total{state="idle"}': "0+10x36",
        },
        {"20m": [{"state": "unfinished"}]},
        silent=("5m", "12m"),
    ),
    Case(
        "ZccIngestReplays",
        {'zcc_ingest_replays_total{app="default"}': "0x5 60x30"},
        {"10m": [{"app": "default"}]},
        silent=("4m", "30m"),
    ),
    Case(
        "ZccAppsNotRead",
        {
            'zcc_ingest_reloads_total{outcome="taken"}': "0+1x40",
            'zcc_ingest_reloads_total{outcome="wrong"}': "0x10 60+60x10 660x20",
        },
        {"20m": [{"outcome": "wrong"}]},
        silent=("10m", "28m"),
    ),
    Case(
        "ZccBrokerDoesNotAcknowledge",
        {
            'zcc_ingest_unavailable_total{reason="deadline"}': "0x8 30+30x2 90x20",
            'zcc_ingest_unavailable_total{reason="network"}': "0+30x28",
        },
        {"11m": [{}]},
        silent=("8m", "20m"),
    ),
    Case(
        "ZccQuarantined",
        {
            'zcc_ingest_quarantined_total{reason="no_json"}': "0x5 1x40",
            'zcc_ingest_quarantined_total{reason="no_event"}': "0x45",
            'zcc_monitor_set_aside_end_offsets{topic="zcc.quarantine.v1"}': "0x5 1x40",
            'zcc_monitor_set_aside_end_offsets{topic="zcc.dead-letter.x.v1"}': "0+1x45",
        },
        {"7m": [{"reason": "no_json"}, {"topic": "zcc.quarantine.v1"}]},
        silent=("4m", "30m"),
    ),
    Case(
        "ZccQuarantineFills",
        {'zcc_ingest_quarantined_total{reason="account"}': "0x20 15x20"},
        {"32m": [{}]},
        silent=("19m", "38m"),
    ),
    Case(
        "ZccQuarantineFills",
        {
            'zcc_ingest_quarantined_total{reason="account"}': "0+0x50",
            'zcc_monitor_set_aside_end_offsets{topic="zcc.quarantine.v1"}': "5x20 20x30",
        },
        {"32m": [{}]},
        silent=("19m", "38m"),
        note="by the topic, where the counter died with its process",
    ),
    Case(
        "ZccSpillWaits",
        {
            'zcc_spill_oldest_seconds{instance="a"}': "0x20",
            'zcc_spill_oldest_seconds{instance="b"}': "0x4 30 0x3 60+60x10",
        },
        {"11m": [{}]},
        silent=("5m", "8m"),
        value="2m 0s",
    ),
    Case(
        "ZccSpillFails",
        {
            'zcc_spill_failed_events_total{reason="full"}': "0x8 30+30x20",
            'zcc_spill_failed_events_total{reason="late"}': "7x30",
        },
        {"12m": [{"reason": "full"}]},
        silent=("8m",),
    ),
    Case(
        "ZccSpillSetAside",
        {
            'zcc_spill_set_aside_total{reason="refused"}': "0x5 1x30",
            'zcc_spill_set_aside_total{reason="unreadable"}': "0x35",
        },
        {"8m": [{"reason": "refused"}]},
        silent=("4m", "30m"),
    ),
    Case(
        "ZccSpillSetAside",
        {'zcc_spill_set_aside_total{reason="unreadable",instance="new"}': "_x5 2x40"},
        {"6m": [{"reason": "unreadable"}], "15m": [{"reason": "unreadable"}]},
        silent=("4m", "30m"),
        note="counted at the start, before the first scrape",
    ),
    Case(
        "ZccNoWebhooks",
        {
            'zcc_ingest_accepted_total{family="task"}': "0+10x10 100x80",
            part("ingest", "ingest:9100"): "77x90",
        },
        {"80m": [{}]},
        silent=("20m", "60m"),
    ),
    Case(
        "ZccNoWebhooks",
        {part("ingest", "new:9100"): "77x90"},
        {"31m": [{}]},
        silent=("29m",),
        note="after a rollout, before anything was counted",
    ),
)

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
)

objects = (
    Case(
        "ZccObjectsSkipped",
        {"zcc_object_storage_skipped_rows_total": "0x5 900x80"},
        {"7m": [{}]},
        silent=("4m", "70m"),
    ),
)

zoom = (
    Case(
        "ZccZoomRefusesTheApp",
        {
            'zcc_zoom_requests_total{operation="get_user",outcome="missing_scope"}': "0x2 2x12",
            'zcc_zoom_requests_total{operation="get_user",outcome="not_found"}': "0+100x12",
        },
        {"9m": [{"outcome": "missing_scope"}]},
        silent=("6m",),
    ),
    Case(
        "ZccZoomBudgetSpent",
        {
            'zcc_zoom_budget_refused_total{label="LIGHT",reason="second"}': "0+60x40",
            'zcc_zoom_budget_refused_total{label="LIGHT",reason="no_share"}': "0+60x40",
        },
        {"20m": [{"label": "LIGHT", "reason": "second"}]},
        silent=("10m",),
    ),
)

challenge = "zcc_ingest_last_challenge_timestamp_seconds"
slow = (
    # Five minutes a sample: 12 an hour. Times are seconds since the start of the test.
    Case(
        "ZccEndpointNotValidated",
        {
            # Challenged at 10 h; that pod is replaced at 50 h, the other one never was asked.
            f'{challenge}{{app="sales",instance="a"}}': "0x119 36000x479 _x1400",
            f'{challenge}{{app="sales",instance="b"}}': "0x1999",
            f'{challenge}{{app="sales",instance="c"}}': "_x600 0x1399",
            # New at 60 h and never validated.
            f'{challenge}{{app="new",instance="b"}}': "_x720 0x1279",
            # Every 72 h, each time at another pod, with a restart in between.
            f'{challenge}{{app="default",instance="a"}}': "3600x599 _x1400",
            f'{challenge}{{app="default",instance="b"}}': "0x875 262800x99 0x1022",
            f'{challenge}{{app="default",instance="c"}}': "_x600 0x1139 522000x258",
            # Taken away from all pods at 30 h.
            f'{challenge}{{app="gone",instance="b"}}': "3600x359 NaN+0x1639",
        },
        {
            "91h": [{"app": "sales"}],
            "139h": [{"app": "sales"}],
            "141h": [{"app": "sales"}, {"app": "new"}],
        },
        silent=("89h",),
        minutes=5,
    ),
)

cases = (*parts, *workers, *ingest, *stores, *objects, *zoom)
