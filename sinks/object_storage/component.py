"""Describes the object storage sink: enriched events in, Parquet objects out."""

from typing import Final

from runtime.component import Component, Deployment
from schemas.topics import enriched_topics
from sinks.object_storage.settings import ObjectStorageSettings

component: Final = Component(
    name="object-storage",
    kind="sink",
    reads=enriched_topics,
    settings=(ObjectStorageSettings,),
    metrics=("sinks.object_storage.metrics:metrics",),
    run="sinks.object_storage.service:run",
    check="sinks.object_storage.check:check",
    deployment=Deployment(
        memory_request_mib=384,
        memory_limit_mib=768,
        starts_after={"s3": "service_started"},
    ),
)
