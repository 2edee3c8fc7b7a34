"""`zcc schemas drift`: how live events differ from the contract, with a patch for it."""

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import cast

import typer

from runtime.errors import ConfigurationError
from runtime.kafka import read_all
from runtime.settings import KafkaSettings
from schemas.catalogue import events
from schemas.drift_report import DriftReport, Finding
from schemas.envelope import JsonObject, UnreadableError, envelope_of, read_json
from schemas.topics import raw_topics


@dataclass(frozen=True, slots=True)
class Read:
    """The content of the topics. ``unreadable``: values that are not events; ingest writes none."""

    report: DriftReport
    topics: Collection[str]
    unreadable: int


async def run(kafka: KafkaSettings, *, topics: Collection[str], as_json: bool) -> None:
    """Read raw topics from end to end, all where none is named, and print the drift.

    Raises:
        ConfigurationError: a name is not a raw topic, or a topic does not exist.
        TransientError: the brokers do not answer.
    """
    known = raw_topics(prefix=kafka.topic_prefix)
    for topic in topics:
        if topic not in known:
            raise ConfigurationError(
                f"{topic} is not a raw topic; expected one of {', '.join(known)}"
            )
    report = await _read(kafka, topics or known)
    typer.echo(json.dumps(as_object(report)) if as_json else "\n".join(lines(report)))


def as_object(read: Read) -> dict[str, object]:
    """Return the drift as one JSON object; each patch by its event."""
    return {
        "topics": list(read.topics),
        "events_read": read.report.bodies.total(),
        "unreadable": read.unreadable,
        "findings": [asdict(finding) for finding in read.report.findings()],
        "patches": read.report.patches(),
    }


def lines(read: Read) -> Iterator[str]:
    """Yield the drift for people: each event with its departures, then the patches."""
    report = read.report
    yield f"{report.bodies.total()} events read from {len(read.topics)} topics"
    if read.unreadable:
        yield f"{read.unreadable} values are not events"
    findings = report.findings()
    if not findings:
        yield "no drift: all of them match the contract"
        return
    for event in dict.fromkeys(finding.event for finding in findings):
        yield f"{event}: {report.bodies[event]} read"
        yield from (_line(finding) for finding in findings if finding.event == event)
    yield "suggested patches (JSON Merge Patch, RFC 7396):"
    yield from _patch_lines(report.patches())


async def _read(kafka: KafkaSettings, topics: Collection[str]) -> Read:
    report, unreadable = DriftReport(), 0
    async for delivery in read_all(kafka, topics):
        try:
            body = read_json(delivery.value or b"")
            report.note(cast("JsonObject", body), envelope_of(body).event)
        except UnreadableError:
            unreadable += 1
    return Read(report, topics, unreadable)


def _line(finding: Finding) -> str:
    seen = ", ".join(f"{name} {count}" for name, count in finding.types.items())
    values = ", ".join(json.dumps(value) for value in finding.values)
    parts = [f"  {finding.kind} {finding.path}: {finding.bodies} events", seen, values]
    return "; ".join(part for part in parts if part)


def _patch_lines(patches: Mapping[str, Mapping[str, object]]) -> Iterator[str]:
    for event, patch in patches.items():
        kind = events.get(event)
        schema = f"{kind.family}/{kind.short_name}" if kind else "<family>/<event>"
        yield f"{event}, schemas/webhooks/{schema}.schema.json:"
        yield json.dumps(patch, indent=1, ensure_ascii=False)
