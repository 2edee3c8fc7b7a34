"""The AsyncAPI document holds what the topics are, and the official parser accepts it."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from operations.components import pollers, workers
from runtime.settings import KafkaSettings
from schemas.asyncapi import asyncapi, asyncapi_text, reference_entities
from schemas.catalogue import events
from schemas.topics import topic_specs
from tests.support.node_packages import node_packages
from tests.support.patience import HANG_GUARD_S

SCHEMAS = Path(__file__).parents[2] / "schemas"
PLAN = KafkaSettings().topic_plan


@pytest.fixture(scope="module")
def document() -> Any:
    return asyncapi(PLAN, workers, pollers=pollers)


def files_in(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        reference = node.get("$ref")
        if isinstance(reference, str) and not reference.startswith("#"):
            yield reference
        for child in node.values():
            yield from files_in(child)
    elif isinstance(node, list):
        for child in node:
            yield from files_in(child)


def test_the_text_is_the_document_without_aliases(document: Any) -> None:
    text = asyncapi_text(PLAN, workers, pollers=pollers)
    assert yaml.safe_load(text) == document
    assert "&id" not in text


def test_each_topic_is_a_channel_set_up_as_it_is_applied(document: Any) -> None:
    channels = [
        (each["address"], each["bindings"]["kafka"]) for each in document["channels"].values()
    ]
    assert channels == [
        (
            spec.name,
            {
                "topic": spec.name,
                "partitions": spec.partitions,
                "replicas": spec.replication,
                "topicConfiguration": {
                    "cleanup.policy": spec.cleanup.split(","),
                    "retention.ms": spec.retention_ms,
                    "max.message.bytes": spec.max_message_bytes,
                },
                "bindingVersion": "0.5.0",
            },
        )
        for spec in topic_specs(PLAN, workers, pollers=pollers)
    ]


def test_each_event_is_a_message_of_its_raw_and_its_enriched_topic(document: Any) -> None:
    for event in events.values():
        for before in ("", "enriched."):
            messages = document["channels"][f"{before}{event.family}"]["messages"]
            name = f"{before}{event.short_name}"
            assert messages[name] == {"$ref": f"#/components/messages/{name}"}
            assert document["components"]["messages"][name]["name"] == event.name


def test_every_file_that_it_refers_to_is_there(document: Any) -> None:
    places = set(files_in(document))
    assert len(places) == 2 * (len(events) + len(reference_entities)) + 8
    assert {place for place in places if not (SCHEMAS / place).is_file()} == set()


@pytest.mark.static
def test_the_official_parser_finds_nothing_wrong(document: Any) -> None:
    done = subprocess.run(
        ["node", "validate.mjs", str(SCHEMAS / "asyncapi.yaml")],
        cwd=node_packages(),
        check=False,
        capture_output=True,
        text=True,
        timeout=HANG_GUARD_S,
    )
    assert done.stderr == ""
    channels, messages = document["channels"], document["components"]["messages"]
    assert done.stdout == f"{len(channels)} channels, {len(messages)} messages\n"


def untitled(node: object, place: str) -> Iterator[str]:
    """Yield where a schema of an object has no title, in a document or in a file it refers to."""
    if isinstance(node, dict):
        if (node.get("type") == "object" or "allOf" in node) and "title" not in node:
            yield place
        for name, child in node.items():
            if name not in {"examples", "x-known-values"}:
                yield from untitled(child, f"{place}.{name}")
    elif isinstance(node, list):
        for number, child in enumerate(node):
            yield from untitled(child, f"{place}[{number}]")


def test_each_object_has_a_title_so_that_no_generated_type_is_without_a_name(
    document: Any,
) -> None:
    assert list(untitled(document["components"], "components")) == []
    for path in set(files_in(document)):
        if path.endswith(".schema.json"):
            schema = json.loads((SCHEMAS / path).read_bytes())
            assert list(untitled(schema, path)) == []
