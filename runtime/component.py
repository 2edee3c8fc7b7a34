"""Describes a processor or a sink: all that the command line and deployments need to know of it.

Each component exports one `Component` from the module ``component`` of its folder. The descriptions
are cheap to import: code that needs a client is named and imported when it runs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from pydantic_settings import BaseSettings

from schemas.topics import dead_letter_topic, retry_topic

Kind = Literal["processor", "sink"]


class TopicNames(Protocol):
    """Names topics of a deployment with this prefix."""

    def __call__(self, *, prefix: str) -> Sequence[str]:
        """Return the names."""
        ...


def no_topics(*, prefix: str) -> Sequence[str]:  # noqa: ARG001 - a TopicNames has a prefix
    """Name none: a sink writes no topics, a poller reads none."""
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """What an orchestrator gives the processes of a component.

    ``starts_after`` maps services of ``docker-compose.yml`` to the condition under which the
    component may start; all components start after the topics. The secret of a component is named
    after it; with ``needs_secret`` a pod does not start without it.
    """

    memory_request_mib: int = 256
    memory_limit_mib: int = 512
    needs_secret: bool = False
    starts_after: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """One processor or sink.

    ``run``, ``check`` and ``metrics`` are references, ``module:attribute``:

    - ``run``: a coroutine function. Its arguments are the component's settings, in the order of
      ``settings``, then `KafkaSettings` and `WorkerSettings`.
    - ``check``: a coroutine function for `zcc doctor`, "" where a component has no store of its
      own. Its argument is the first of the settings. It returns what it found in one line, and
      raises `ConfigurationError` or `TransientError` for what somebody has to mend.
    - ``metrics``: objects whose class holds metrics as attributes.

    ``zoom_operations`` are names of operations of the REST API; the runtime does not know them.
    A record that a processor defers waits ``retry_delays_s`` in turn. A processor that ``polls``
    runs a `Poller`: another system feeds it, so it reads no topics and has no dead letters.
    """

    name: str
    kind: Kind
    run: str
    reads: TopicNames = no_topics
    writes: TopicNames = no_topics
    polls: bool = False
    retry_delays_s: tuple[int, ...] = ()
    settings: tuple[type[BaseSettings], ...] = ()
    zoom_operations: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    check: str = ""
    deployment: Deployment = Deployment()

    def __post_init__(self) -> None:
        """Refuse a poller with retries, because nothing would read them."""
        if self.polls and (self.retry_delays_s or self.kind == "sink"):
            raise ValueError(f"{self.name}: a poller is a processor without retry delays")

    @property
    def service(self) -> str:
        """The name of its service, deployment and process: ``enrichment``, ``sink-postgres``."""
        return self.name if self.kind == "processor" else f"{self.kind}-{self.name}"

    @property
    def command(self) -> tuple[str, ...]:
        """The arguments of `zcc` that run it."""
        return (self.kind, self.name)

    def group(self, *, prefix: str) -> str:
        """Return its consumer group."""
        return f"{prefix}.{self.name}"

    def groups(self, *, prefix: str) -> Mapping[str, Sequence[str]]:
        """Return its consumer groups with the topics that each works off.

        The group of a poller only chooses the active member, so it has none and no lag.
        """
        group = self.group(prefix=prefix)
        topics_of = {group: self.reads(prefix=prefix)}
        if self.retry_delays_s:
            topics_of[f"{group}-retry"] = self.retry_topics(prefix=prefix)
        return topics_of

    def retry_topics(self, *, prefix: str) -> Sequence[str]:
        """Return the topics in which deferred records wait, one for each delay."""
        return [retry_topic(self.name, s, prefix=prefix) for s in self.retry_delays_s]

    def dead_letter_topic(self, *, prefix: str) -> str:
        """Return the topic of the records that it could not handle."""
        return dead_letter_topic(self.name, prefix=prefix)
