"""Cases of Zoom's API and of the apps."""

from tests.support.alert_cases.case import Case

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
        "ZccZoomAccountsNotRead",
        {
            'zcc_zoom_account_reloads_total{outcome="taken"}': "0+1x40",
            'zcc_zoom_account_reloads_total{outcome="wrong"}': "0x10 12+12x10 132x20",
        },
        {"20m": [{"outcome": "wrong"}]},
        silent=("10m", "28m"),
    ),
    Case(
        "ZccOutcomesUnavailable",
        {
            'zcc_outcomes_snapshots_total{status="complete"}': "0+90x80",
            'zcc_outcomes_snapshots_total{status="unavailable"}': "0+2x30 60+10x50",
        },
        {"75m": [{}]},
        silent=("30m",),
        value="10%",
    ),
    Case(
        "ZccZoomBudgetSpent",
        {
            'zcc_zoom_budget_refused_total{label="LIGHT",reason="second"}': "0+60x40",
            'zcc_zoom_budget_refused_total{label="LIGHT",reason="no_share"}': "0+60x40",
            'zcc_zoom_budget_refused_total{account="a",label="HEAVY",reason="day"}': "0+60x40",
        },
        {
            "20m": [
                {"label": "LIGHT", "reason": "second"},
                {"account": "a", "label": "HEAVY", "reason": "day"},
            ]
        },
        silent=("10m",),
    ),
    Case(
        "ZccNamesMissing",
        {
            'zcc_enrichment_events_total{instance="a",status="complete"}': "0+540x20 10800+600x20",
            'zcc_enrichment_events_total{instance="a",status="partial"}': "0+60x20 1200+0x20",
            'zcc_enrichment_events_total{instance="b",status="skipped"}': "0+10x40",
        },
        {"15m": [{}]},
        silent=("8m", "40m"),
    ),
    Case(
        "ZccReferenceStale",
        {
            'zcc_reference_walked_timestamp_seconds{entity="user",instance="a"}': "0x150",
            'zcc_reference_walked_timestamp_seconds{entity="user",instance="b"}': "0x150",
            'zcc_reference_walked_timestamp_seconds{entity="queue",instance="a"}': "0+60x150",
            'zcc_reference_walked_timestamp_seconds{entity="team",instance="a"}': "0x150",
            'zcc_reference_ttl_seconds{entity="user",instance="a"}': "3600x150",
            'zcc_reference_ttl_seconds{entity="queue",instance="a"}': "3600x150",
            'zcc_reference_ttl_seconds{entity="team",instance="a"}': "3600x150",
            'zcc_reference_forbidden{entity="user",instance="a"}': "0x150",
            'zcc_reference_forbidden{entity="queue",instance="a"}': "0x150",
            'zcc_reference_forbidden{entity="team",instance="a"}': "1x150",
            'zcc_reference_forbidden{entity="team",instance="b"}': "0x150",
        },
        {"137m": [{"entity": "user"}]},
        silent=("125m",),
        note="a standby knows nothing, and a forbidden list is no news",
    ),
)
