"""Composition of the object storage sink: settings in, a running worker out."""

from runtime.process.file_modes import protect_new_files
from runtime.service import run_sink
from runtime.settings import KafkaSettings, WorkerSettings
from sinks.object_storage.component import component
from sinks.object_storage.settings import ObjectStorageSettings
from sinks.object_storage.sink import ObjectStorageSink


async def run(
    settings: ObjectStorageSettings, kafka: KafkaSettings, worker: WorkerSettings
) -> None:
    """Write enriched events to object storage until stopped.

    Raises:
        ConfigurationError: the store or the topics are not set up as needed.
    """
    protect_new_files()
    await run_sink(ObjectStorageSink(settings), component, kafka=kafka, worker=worker)
