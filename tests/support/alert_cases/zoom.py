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
        "ZccZoomBudgetSpent",
        {
            'zcc_zoom_budget_refused_total{label="LIGHT",reason="second"}': "0+60x40",
            'zcc_zoom_budget_refused_total{label="LIGHT",reason="no_share"}': "0+60x40",
        },
        {"20m": [{"label": "LIGHT", "reason": "second"}]},
        silent=("10m",),
    ),
)
