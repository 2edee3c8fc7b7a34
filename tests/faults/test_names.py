"""Names under an outage and kills -9, briefly: `python -m benchmarks.names` runs longer."""

from pathlib import Path

import pytest

from benchmarks.names import cases, run_case
from devstack import DevstackOptions, running

pytestmark = pytest.mark.long


async def test_replicas_that_die_during_an_outage_lose_nothing_and_correct_everything(
    tmp_path: Path,
) -> None:
    case = next(each for each in cases(20.0) if each.name == "kills")
    options = DevstackOptions(directory=None, parts=frozenset({"kafka"}))
    async with running(options) as stack:
        outcome = await run_case(case, stack, logs=tmp_path)
    shown = outcome.figures
    assert shown.events == case.seconds * case.rate_per_s
    assert (shown.lost, shown.disordered, shown.skipped) == (0, 0, 0)
    assert shown.partial > 0
    assert shown.uncorrected == 0
    assert outcome.dead_letters == 0
    assert outcome.kills > 0
    assert list(outcome.crashed) == []
