"""Where names come from: the table, the memory of lookups, or the API; and what it costs."""

import asyncio

import pytest
from prometheus_client import REGISTRY

from processors.entities.member import Missing
from processors.entities.references import Entity, EntityReference
from runtime.background_tasks import BackgroundTasks
from tests.support.enrichment import EnrichmentBench, queue, user
from tests.support.reference_records import snapshot
from tests.support.workers import simulated

ANN = EntityReference(Entity.USER, "Ann-ID")


def counted(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(f"zcc_enrichment_{name}_total", labels) or 0.0


async def test_what_the_table_has_waits_for_nothing(background: BackgroundTasks) -> None:
    bench = EnrichmentBench(background, table=(snapshot("Ann-ID", 5, user("Ann-ID", "Ann")),))
    before = counted("names", tier="table")
    answers, unknown = bench.names.known("a", [ANN])
    assert unknown == []
    assert b'"display_name":"Ann"' in answers[ANN][0]
    assert bench.api.keys == []
    assert counted("names", tier="table") == before + 1


@pytest.mark.parametrize(
    "one", [EntityReference(Entity.USER, "ann-id"), EntityReference(Entity.QUEUE, "old")]
)
async def test_the_table_knows_other_ids_of_an_entity(
    background: BackgroundTasks, one: EntityReference
) -> None:
    bench = EnrichmentBench(
        background,
        table=(
            snapshot("Ann-ID", 5, user("Ann-ID", "Ann")),
            snapshot("new", 5, queue("new", "old", "Help"), entity="queue"),
        ),
    )
    answers, unknown = bench.names.known("a", [one])
    assert unknown == []
    assert not isinstance(answers[one], Missing)


async def test_what_the_table_knows_to_be_gone_is_absent(background: BackgroundTasks) -> None:
    bench = EnrichmentBench(background, table=(snapshot("Ann-ID", 5, None),))
    assert bench.names.known("a", [ANN]) == ({ANN: Missing.ABSENT}, [])


async def test_entities_of_another_account_do_not_count(background: BackgroundTasks) -> None:
    bench = EnrichmentBench(background, table=(snapshot("Ann-ID", 5, user("Ann-ID", "Ann")),))
    assert bench.names.known("b", [ANN]) == ({}, [ANN])


async def test_a_change_in_the_topic_is_in_the_next_event(background: BackgroundTasks) -> None:
    bench = EnrichmentBench(background, table=(snapshot("Ann-ID", 5, user("Ann-ID", "Ann")),))
    bench.names.known("a", [ANN])
    bench.tell(snapshot("Ann-ID", 6, user("Ann-ID", "Anna")))
    assert b'"display_name":"Anna"' in bench.names.known("a", [ANN])[0][ANN][0]


async def test_an_answer_of_the_api_serves_later_events(background: BackgroundTasks) -> None:
    bench = EnrichmentBench(background, {"Ann-ID": user("Ann-ID", "Ann")})
    lookups, remembered = (
        counted("lookups", entity="user", outcome="found"),
        counted("names", tier="memory"),
    )
    answered = await bench.names.ask("a", [ANN])
    answers, unknown = bench.names.known("a", [ANN])
    assert (answers, unknown) == (answered, [])
    assert len(bench.api.keys) == 1
    assert counted("lookups", entity="user", outcome="found") == lookups + 1
    assert counted("names", tier="memory") == remembered + 1


async def test_what_changes_between_a_lookup_and_its_answer_counts(
    background: BackgroundTasks,
) -> None:
    bench = EnrichmentBench(background, {"Ann-ID": user("Ann-ID", "old name")}, deadline_s=30.0)
    asking = asyncio.ensure_future(bench.names.ask("a", [ANN]))
    await asyncio.sleep(0)
    bench.tell(snapshot("Ann-ID", 9, None))
    assert await asking == {ANN: Missing.ABSENT}


@simulated
async def test_an_event_waits_for_all_its_lookups_together() -> None:
    named = [EntityReference(Entity.USER, f"u{number}") for number in range(50)]
    began_s = asyncio.get_running_loop().time()
    async with BackgroundTasks() as background:
        states = {one.id: "never" for one in named}
        bench = EnrichmentBench(background, states, deadline_s=0.5)
        answers = await bench.names.ask("a", named)
    assert answers == dict.fromkeys(named, Missing.DEADLINE)
    assert asyncio.get_running_loop().time() - began_s == pytest.approx(0.5)


async def test_entities_of_one_id_and_two_kinds_are_two(background: BackgroundTasks) -> None:
    bench = EnrichmentBench(background, table=(snapshot("x", 5, user("x", "Ann")),))
    other = EntityReference(Entity.QUEUE, "x")
    answers, unknown = bench.names.known("a", [EntityReference(Entity.USER, "x"), other])
    assert unknown == [other]
    assert len(answers) == 1
