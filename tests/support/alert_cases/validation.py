"""Cases of endpoints that are not validated for days; a sample is five minutes."""

from tests.support.alert_cases.case import Case

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
