"""What the model cannot hold is counted and logged, and the raw event has it."""

import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from tests.support.postgres import owner, query
from tests.support.projections import event


def counted(what: str) -> float:
    return REGISTRY.get_sample_value("zcc_postgres_left_out_total", {"what": what}) or 0


@pytest.mark.parametrize("length", [256, 651, 3000])
async def test_an_engagement_whose_id_is_too_long_is_in_the_raw_event_alone(
    dsn: str, length: int
) -> None:
    before = counted("engagement"), counted("id")
    long, short = "x" * length, "E1"
    async with owner(dsn) as writer:
        with capture_logs() as logs:
            await writer.store(
                [
                    event("engagement_started", engagement_id=long),
                    event("engagement_ended", engagement_id=short, cc_queue_id=long, after_s=1),
                ]
            )
    assert (counted("engagement"), counted("id")) == (before[0] + 1, before[1] + 1)
    warnings = {each["what"]: each for each in logs if each["event"] == "left out of the model"}
    assert warnings["engagement"]["first"] == "zcc.enriched.engagement.v1/0/0"
    assert warnings["id"]["first"] == "zcc.enriched.engagement.v1/0/1"
    assert long not in str(logs)
    assert len(await query(dsn, "select 1 from zcc.raw_event")) == 2
    rows = await query(dsn, "select engagement_id, cc_queue_id from zcc.engagement")
    assert rows == [{"engagement_id": short, "cc_queue_id": None}]
