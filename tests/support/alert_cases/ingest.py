"""Cases of ingest and of the spill."""

from tests.support.alert_cases.case import Case, part

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
            'zcc_monitor_failed_end_offsets{topic="zcc.quarantine.v1"}': "0x5 1x40",
            'zcc_monitor_failed_end_offsets{topic="zcc.dead-letter.x.v1"}': "0+1x45",
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
            'zcc_monitor_failed_end_offsets{topic="zcc.quarantine.v1"}': "5x20 20x30",
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
        "ZccSpillQuarantined",
        {
            'zcc_spill_quarantined_total{reason="refused"}': "0x5 1x30",
            'zcc_spill_quarantined_total{reason="unreadable"}': "0x35",
        },
        {"8m": [{"reason": "refused"}]},
        silent=("4m", "30m"),
    ),
    Case(
        "ZccSpillQuarantined",
        {'zcc_spill_quarantined_total{reason="unreadable",instance="new"}': "_x5 2x40"},
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
