"""Describes the Postgres sink: enriched events, references and outcomes in, rows out."""

from collections.abc import Sequence
from typing import Final

from runtime.component import Component, Deployment
from schemas.topics import enriched_topics, outcome_topic, reference_topic
from sinks.postgres.settings import PostgresSettings


def _reads(*, prefix: str) -> Sequence[str]:
    return (
        *enriched_topics(prefix=prefix),
        reference_topic(prefix=prefix),
        outcome_topic(prefix=prefix),
    )


component: Final = Component(
    name="postgres",
    kind="sink",
    reads=_reads,
    settings=(PostgresSettings,),
    metrics=("sinks.postgres.metrics:metrics",),
    run="sinks.postgres.service:run",
    check="sinks.postgres.check:check",
    deployment=Deployment(
        needs_secret=True,
        starts_after={"migrate": "service_completed_successfully"},
    ),
)
