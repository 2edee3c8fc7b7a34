"""Cases of processes, groups and the monitor that are away."""

from tests.support.alert_cases.case import Case, part, sink

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
        {"zcc_monitor_last_measurement_timestamp_seconds": "0+60x5 300x20"},
        {"15m": [{}]},
        silent=("5m", "8m"),
        note="it runs, and the brokers do not answer",
    ),
    Case("ZccMonitorBlind", {"up": "1x20"}, {"6m": [{}]}, silent=("4m",), note="it is not there"),
)
