"""Reads one topic without a group, from given offsets on, for ever.

The library may stop fetching without an error, and does not notice by itself that the topic was
recreated or has more partitions. So the reader looks at the topic once per interval, and gives up
where no broker answers for `silence_s`.

Where the library fails on a record, it forgets records of other partitions that it has returned to
nobody. So positions are counted here, and reading continues from them.
"""

from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Final, Self

import structlog
from aiokafka import AIOKafkaConsumer, errors
from aiokafka import TopicPartition as LibraryPartition

from runtime.clock import Clock
from runtime.errors import ConfigurationError, FencedError, TransientError
from runtime.kafka.cluster import Cluster, refuse_missing
from runtime.kafka.connection import answering, by_fault, connecting, connection_options
from runtime.kafka.deliveries import delivery_of
from runtime.kafka.leaving import close
from runtime.kafka.owned_logs import read_to
from runtime.kafka.stall_detector import StallDetector, poll_interval_s
from runtime.offsets.topic_ids import differs
from runtime.ports import TopicLog
from runtime.settings import KafkaSettings
from runtime.values import Delivery, TopicPartition

silence_s: Final = 20.0
_look_interval_s: Final = 5.0
_look_timeout_s: Final = 1.0
"""`poll` waits for it."""
_fetch_wait_ms: Final = 250
_partition_bytes: Final = 1024 * 1024
_response_bytes: Final = 8 * 1024 * 1024
"""Of one answer. Three copies of it exist while the library parses it."""

log = structlog.get_logger()


class KafkaLogReader:
    """`runtime.ports.LogReader` on real brokers."""

    def __init__(
        self, settings: KafkaSettings, topic: str, *, client_id: str, clock: Clock
    ) -> None:
        self.unreadable_count = 0
        self._settings = settings
        self._topic = topic
        self._client_id = client_id
        self._clock = clock
        self._cluster = Cluster(settings, client_id=client_id)
        self._parts = AsyncExitStack()
        self._positions: dict[TopicPartition, int] = {}
        self._stall = StallDetector(clock)
        self._looked_s = self._listened_s = clock.monotonic_s()

    async def __aenter__(self) -> Self:
        """Look at the log, and connect.

        Raises:
            TransientError: the brokers do not answer.
            ConfigurationError: they refuse, or the topic does not exist.
        """
        async with AsyncExitStack() as parts:
            await parts.enter_async_context(self._cluster)
            self._log = await self._present_log()
            self._client = AIOKafkaConsumer(
                **connection_options(self._settings),
                client_id=self._client_id,
                enable_auto_commit=False,
                isolation_level="read_committed",
                auto_offset_reset="none",  # an offset outside the log is an error
                fetch_max_wait_ms=_fetch_wait_ms,
                fetch_max_bytes=_response_bytes,
                max_partition_fetch_bytes=_partition_bytes,
            )
            parts.push_async_callback(close, self._client)
            async with connecting(self._settings):
                await self._client.start()
            self._parts = parts.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._parts.aclose()

    @property
    def log(self) -> TopicLog:
        """The log as it was at the entering."""
        return self._log

    def begin(self, positions: Mapping[TopicPartition, int]) -> None:
        """Read each partition from this offset on."""
        self._positions = dict(positions)
        self._client.assign([LibraryPartition(*source) for source in positions])
        self._seek(positions)

    async def poll(self, *, max_records: int, timeout_s: float) -> Sequence[Delivery]:
        """Return what is there; see `runtime.ports.LogReader.poll`."""
        await self._look()
        self._give_up_if_silent()
        try:
            pieces = await self._client.getmany(
                timeout_ms=int(timeout_s * 1000), max_records=max_records
            )
        except errors.OffsetOutOfRangeError as error:
            raise FencedError(
                f"{self._topic} does not hold the next offset {error.args}"
            ) from error
        except errors.KafkaError as error:
            raise by_fault(f"read {self._topic}", error) from error
        except UnicodeDecodeError:  # the name of a header has to be text
            return await self._step_over()
        deliveries = [delivery_of(record) for records in pieces.values() for record in records]
        self._note_positions()
        return deliveries

    @property
    def positions(self) -> Mapping[TopicPartition, int]:
        """The next offset of each partition."""
        return self._positions

    @property
    def ends(self) -> Mapping[TopicPartition, int]:
        """The end of each partition by the last answer to a fetch, before that by `log`."""
        ends = {}
        for source, bounds in self._log.bounds.items():
            end = self._client.last_stable_offset(LibraryPartition(*source))
            ends[source] = bounds.end if end is None or end < 0 else end
        return ends

    def _note_positions(self) -> None:
        for source in self._positions:
            position = read_to(self._client, source)
            if position is not None:
                self._positions[source] = position

    def _seek(self, positions: Mapping[TopicPartition, int]) -> None:
        for source, offset in positions.items():
            self._client.seek(LibraryPartition(*source), offset)

    async def _step_over(self) -> Sequence[Delivery]:
        """Return the records before one that the library cannot decode, else skip one offset.

        The library decodes a batch from its start, so that all records behind are skipped too, up
        to the end of the batch.
        """
        self._seek(self._positions)
        deliveries: list[Delivery] = []
        while True:
            try:
                pieces = await self._client.getmany(timeout_ms=_fetch_wait_ms, max_records=1)
            except UnicodeDecodeError:
                fetched = self._client._fetcher._records  # noqa: SLF001 - it does not say where
                source = TopicPartition(*next(iter(fetched)))
                break
            except errors.KafkaError as error:
                raise by_fault(f"read {self._topic}", error) from error
            if not pieces:
                return deliveries
            deliveries += [delivery_of(each) for records in pieces.values() for each in records]
            self._note_positions()
        self._positions[source] += 1
        self.unreadable_count += 1
        self._seek(self._positions)
        return deliveries

    async def _look(self) -> None:
        """Compare the topic with that of the entering, once per interval.

        Raises:
            FencedError: it was recreated.
            TransientError: it is gone, or has more partitions.
        """
        now_s = self._clock.monotonic_s()
        if now_s - self._looked_s < _look_interval_s:
            return
        self._looked_s = now_s
        try:
            async with answering(f"look at {self._topic}", timeout_s=_look_timeout_s):
                layouts = await self._cluster.layouts([self._topic])
        except (TransientError, ConfigurationError) as error:
            log.debug("topic not seen", topic=self._topic, error=str(error))
            return
        layout = layouts.get(self._topic)
        if layout is None:
            raise TransientError(f"{self._topic} was deleted")
        if differs(self._log.topic_id, layout.topic_id):
            raise FencedError(f"{self._topic} was recreated")
        if layout.partitions != len(self._log.bounds):
            raise TransientError(f"{self._topic} has {layout.partitions} partitions by now")

    def _give_up_if_silent(self) -> None:
        """Give up where the library hears nothing of any partition.

        Raises:
            TransientError: it is time to connect again.
        """
        now_s = self._clock.monotonic_s()
        if now_s - self._listened_s < poll_interval_s:
            return
        self._listened_s = now_s
        heard = tuple(
            self._client.last_poll_timestamp(LibraryPartition(*source))
            for source in self._positions
        )
        if self._stall.silent_for_s(heard) > silence_s:
            raise TransientError(
                f"no broker has sent anything of {self._topic} for {silence_s:g} s"
            )

    async def _present_log(self) -> TopicLog:
        layouts = await self._cluster.layouts([self._topic])
        refuse_missing({self._topic} - layouts.keys())
        layout = layouts[self._topic]
        sources = [TopicPartition(self._topic, number) for number in range(layout.partitions)]
        return TopicLog(layout.topic_id, await self._cluster.log_bounds(sources))
