"""One question at a time per key, answers from memory, deadlines from the start of a question."""

import asyncio
from collections.abc import Coroutine
from random import Random
from typing import Any

import pytest

from processors.enrichment.lookup import CachedLookup, DeadlineError
from processors.enrichment.settings import EnrichmentSettings
from runtime.background_tasks import BackgroundTasks
from runtime.errors import ConfigurationError, TransientError
from tests.support.fakes.zoom import VirtualClock


class Source:
    """Answers when the test says so."""

    def __init__(self) -> None:
        self.questions: list[str] = []
        self.answers: dict[str, asyncio.Future[str | None]] = {}

    async def get(self, key: str) -> str | None:
        self.questions.append(key)
        answer = self.answers.setdefault(key, asyncio.get_running_loop().create_future())
        return await asyncio.shield(answer)

    def knows(self, key: str, value: str | Exception | None) -> None:
        answer: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        if isinstance(value, Exception):
            answer.set_exception(value)
            answer.exception()
        else:
            answer.set_result(value)
        self.answers[key] = answer


class Bench:
    def __init__(self, background: BackgroundTasks, **changes: Any) -> None:
        defaults: dict[str, Any] = {
            "deadline_s": 0.05,
            "cache_ttl_s": 100.0,
            "absent_ttl_s": 10.0,
            "cache_entries": 100,
            "lookups_in_flight": 10,
        }
        self.settings = EnrichmentSettings(**(defaults | changes))
        self.clock = VirtualClock()
        self.source = Source()
        self.lookup = CachedLookup[str, str](
            self.source,
            self.settings,
            background=background,
            clock=self.clock,
            rng=Random(1),
        )

    async def learn(self, *keys: str) -> None:
        for key in keys:
            self.source.knows(key, key)
            await self.lookup.get(key)


async def settled() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_many_who_ask_the_same_share_one_question(background: BackgroundTasks) -> None:
    bench = Bench(background)
    bench.source.knows("k", "V")
    values = await asyncio.gather(*(bench.lookup.get("k") for _ in range(20)))
    assert values == ["V"] * 20
    assert bench.source.questions == ["k"]


async def test_a_value_that_exists_no_more_is_forgotten_when_renewed(
    background: BackgroundTasks,
) -> None:
    bench = Bench(background)
    await bench.learn("v")
    bench.clock.elapsed_s = bench.settings.cache_ttl_s
    bench.source.knows("v", None)
    assert await bench.lookup.get("v") == "v"
    await settled()
    assert await bench.lookup.get("v") is None


async def test_answers_of_one_moment_grow_old_at_different_times(
    background: BackgroundTasks,
) -> None:
    bench = Bench(background)
    await bench.learn(*(f"v{number}" for number in range(50)))
    bench.source.questions.clear()
    bench.clock.elapsed_s = 0.95 * bench.settings.cache_ttl_s
    for number in range(50):
        await bench.lookup.get(f"v{number}")
        await settled()
    assert 10 < len(bench.source.questions) < 40


async def test_an_absence_is_remembered_for_a_shorter_time(background: BackgroundTasks) -> None:
    bench = Bench(background)
    bench.source.knows("k", None)
    assert await bench.lookup.get("k") is None
    entry = bench.lookup.known("k")
    assert entry is not None
    assert entry.value is None
    bench.clock.elapsed_s = bench.settings.absent_ttl_s
    assert bench.lookup.known("k") is None
    bench.source.knows("k", "V")
    assert await bench.lookup.get("k") == "V"
    assert bench.source.questions == ["k", "k"]


async def test_an_old_value_is_returned_at_once_and_refreshed(
    background: BackgroundTasks,
) -> None:
    bench = Bench(background)
    bench.source.knows("k", "Old")
    await bench.lookup.get("k")
    bench.clock.elapsed_s = bench.settings.cache_ttl_s
    bench.source.knows("k", "New")
    assert await bench.lookup.get("k") == "Old"
    assert await bench.lookup.get("k") == "Old"
    await settled()
    assert await bench.lookup.get("k") == "New"
    assert bench.source.questions == ["k", "k"]


async def test_an_old_value_survives_an_outage_and_its_renewal_rests(
    background: BackgroundTasks,
) -> None:
    bench = Bench(background)
    await bench.learn("v")
    bench.clock.elapsed_s = bench.settings.cache_ttl_s
    bench.source.knows("v", TransientError("down"))
    for _ in range(3):
        assert await bench.lookup.get("v") == "v"
        await settled()
    assert bench.source.questions == ["v", "v"]


async def test_only_a_few_old_values_are_renewed_at_once(background: BackgroundTasks) -> None:
    bench = Bench(background)
    await bench.learn(*(f"v{number}" for number in range(50)))
    bench.clock.elapsed_s = bench.settings.cache_ttl_s
    bench.source.questions.clear()
    for number in range(50):
        assert await bench.lookup.get(f"v{number}") == f"v{number}"
    await settled()
    assert len(bench.source.questions) == 4


async def test_who_waits_too_long_hears_so_and_the_question_goes_on(
    background: BackgroundTasks,
) -> None:
    bench = Bench(background)
    with pytest.raises(DeadlineError):
        await bench.lookup.get("k")
    bench.source.answers["k"].set_result("V")
    await settled()
    assert await bench.lookup.get("k") == "V"
    assert bench.source.questions == ["k"]


async def test_the_deadline_counts_from_the_start_of_the_question(
    background: BackgroundTasks,
) -> None:
    bench = Bench(background, deadline_s=30.0)
    first = asyncio.ensure_future(bench.lookup.get("k"))
    await settled()
    bench.clock.elapsed_s = 30.0
    with pytest.raises(DeadlineError):
        await bench.lookup.get("k")
    bench.source.answers["k"].set_result("V")
    assert await first == "V"


async def test_what_the_caller_has_waited_for_before_counts_too(
    background: BackgroundTasks,
) -> None:
    bench = Bench(background, deadline_s=30.0)
    with pytest.raises(DeadlineError):
        await bench.lookup.get("k", waited_s=30.0)
    assert bench.source.questions == ["k"]
    patient = asyncio.ensure_future(bench.lookup.get("k", waited_s=1.0))
    await settled()
    bench.source.answers["k"].set_result("V")
    assert await patient == "V"


async def test_a_caller_may_have_another_deadline(background: BackgroundTasks) -> None:
    bench = Bench(background)
    patient = asyncio.ensure_future(bench.lookup.get("k", deadline_s=30.0))
    with pytest.raises(DeadlineError, match=r"no answer in 0\.05 s"):
        await bench.lookup.get("k")
    bench.source.answers["k"].set_result("V")
    assert await patient == "V"


async def test_beyond_the_bound_further_questions_fail_at_once(background: BackgroundTasks) -> None:
    bench = Bench(background, lookups_in_flight=2, deadline_s=30.0)
    waiting = [asyncio.ensure_future(bench.lookup.get(key)) for key in ("a", "b")]
    await settled()
    with pytest.raises(TransientError, match="ZCC_ENRICHMENT_LOOKUPS_IN_FLIGHT"):
        await bench.lookup.get("c")
    for answer in bench.source.answers.values():
        answer.set_result("V")
    await asyncio.gather(*waiting)
    bench.source.knows("c", "V")
    assert await bench.lookup.get("c") == "V"


@pytest.mark.parametrize("failure", [TransientError("down"), ConfigurationError("no scope")])
async def test_a_question_that_failed_rests_and_says_the_same_meanwhile(
    background: BackgroundTasks, failure: Exception
) -> None:
    bench = Bench(background)
    bench.source.knows("k", failure)
    for _ in range(3):
        with pytest.raises(type(failure), match=str(failure)):
            await bench.lookup.get("k")
    assert bench.source.questions == ["k"]
    bench.clock.elapsed_s = 5.0
    bench.source.knows("k", "V")
    assert await bench.lookup.get("k") == "V"


async def test_a_defect_reaches_its_caller_and_nobody_else(background: BackgroundTasks) -> None:
    bench = Bench(background)
    bench.source.knows("k", ZeroDivisionError("a defect"))
    bench.source.knows("other", "V")
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            await bench.lookup.get("k")
    assert await bench.lookup.get("other") == "V"


async def test_who_gives_up_does_not_end_the_question_of_others(
    background: BackgroundTasks,
) -> None:
    bench = Bench(background, deadline_s=30.0)
    impatient, patient = (asyncio.ensure_future(bench.lookup.get("k")) for _ in range(2))
    await settled()
    impatient.cancel()
    await settled()
    bench.source.answers["k"].set_result("V")
    assert await patient == "V"


async def test_leaving_ends_the_questions_under_way() -> None:
    async with BackgroundTasks() as background:
        bench = Bench(background)
        with pytest.raises(DeadlineError):
            await bench.lookup.get("k")
    assert bench.source.questions == ["k"]


async def broken() -> None:
    raise ZeroDivisionError


async def _open(background_work: Coroutine[None, None, None], body: Exception | None) -> None:
    async with BackgroundTasks() as background:
        background.start(background_work)
        if body is not None:
            raise body
        await asyncio.sleep(60)


async def test_an_error_of_the_body_leaves_the_background_as_it_is() -> None:
    with pytest.raises(ConfigurationError):
        await _open(asyncio.sleep(60), ConfigurationError("of the body"))


async def test_a_defect_of_the_background_ends_the_body() -> None:
    with pytest.raises(ExceptionGroup) as caught:
        await _open(broken(), None)
    assert caught.group_contains(ZeroDivisionError)
