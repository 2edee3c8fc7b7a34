"""Pure: all topics of a deployment, those of its components included."""

from collections.abc import Iterator
from dataclasses import replace

from operations.components import components, pollers, workers
from schemas.topics import TopicPlan, TopicSpec, raw_topic, topic_specs


def deployment_specs(plan: TopicPlan) -> list[TopicSpec]:
    """Return the topics that have a record in `schemas.topics`, and the others of the components.

    A topic that a component writes and that has no record is set up as that of engagements.
    """
    specs = list(topic_specs(plan, workers, pollers=pollers))
    known = {spec.name for spec in specs}
    outputs = {name: None for each in components for name in each.writes(prefix=plan.prefix)}
    return [*specs, *like_events(plan, (name for name in outputs if name not in known))]


def like_events(plan: TopicPlan, names: Iterator[str]) -> Iterator[TopicSpec]:
    """Yield topics of these names, set up as the raw topic of engagements."""
    engagement = raw_topic("engagement", prefix=plan.prefix)
    events = next(spec for spec in topic_specs(plan, {}) if spec.name == engagement)
    for name in names:
        yield replace(events, name=name)
