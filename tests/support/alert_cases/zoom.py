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
)
