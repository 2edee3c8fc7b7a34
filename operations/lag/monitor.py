"""`zcc monitor`: lag and set-aside records, measured at the brokers and not by the workers.

A worker that hangs, crashes or never starts cannot report its lag; the brokers can. Every few
seconds the monitor reads the commits, log ends and members of each group of the product, and the
sizes of the dead-letter topics and the quarantine. While the brokers do not answer, all metrics
keep their values, and `zcc_monitor_last_measurement_timestamp_seconds` does not advance.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import Final

import structlog

from operations.components import by_name
from operations.components import monitor as monitor_name
from operations.lag.ages import Ages
from operations.lag.metrics import metrics as monitor_metrics
from operations.settings.monitor import MonitorSettings
from operations.topics.specs import deployment_specs
from runtime import metrics
from runtime.background_tasks import BackgroundTasks
from runtime.clock import Clock
from runtime.errors import ConfigurationError, TransientError
from runtime.kafka import Lag, TopicAdmin, timestamps_at
from runtime.offsets.topic_ids import differs
from runtime.process.health import serving_health
from runtime.process.signals import stop_event
from runtime.settings import KafkaSettings
from runtime.values import TopicPartition
from schemas.topics import quarantine_topic

_log = structlog.get_logger()


async def run(settings: MonitorSettings, kafka: KafkaSettings, *, clock: Clock) -> None:
    """Measure and serve the metrics until SIGTERM or SIGINT.

    Raises:
        ConfigurationError: the health address is taken.
    """
    monitor = Monitor(settings, kafka, clock)
    metrics.process.started.labels(monitor_name).set(clock.now().timestamp())
    with stop_event() as stopping:
        async with (
            serving_health(
                settings.health_host,
                settings.health_port,
                alive=lambda: None,
                ready=monitor.readiness_problem,
                setting="ZCC_MONITOR_HEALTH",
            ),
            BackgroundTasks() as background,
        ):
            _log.info("started", groups=sorted(monitor.groups))
            background.start(monitor.run())
            await stopping.wait()
    _log.info("stopped")


class Monitor:
    """Measures in intervals and sets the metrics; no error of the brokers ends it."""

    def __init__(self, settings: MonitorSettings, kafka: KafkaSettings, clock: Clock) -> None:
        self._kafka = kafka
        self._clock = clock
        self._interval_s = settings.interval_s
        prefix, workers = kafka.topic_prefix, settings.workers
        measured = [by_name[worker] for worker in workers]
        self.groups: Final = {
            group: topics
            for component in measured
            for group, topics in component.groups(prefix=prefix).items()
        }
        self._dead_letter_topics: Final = (
            quarantine_topic(prefix=prefix),
            *(each.dead_letter_topic(prefix=prefix) for each in measured if not each.polls),
        )
        self._delays_s = {
            topic: delay_s
            for component in measured
            for topic, delay_s in zip(
                component.retry_topics(prefix=prefix), component.retry_delays_s, strict=True
            )
        }
        self._ages: defaultdict[str, Ages] = defaultdict(Ages)
        self._reason: str | None = "no measurement yet"
        monitor_metrics.last_measurement.set(0)
        for kind in (TransientError, ConfigurationError):
            monitor_metrics.failures.labels(_kind(kind))
        read = {topic for topics in self.groups.values() for topic in topics}
        self._topic_ids: dict[str, str] = {}
        for topic in (*read, *self._dead_letter_topics):
            monitor_metrics.recreated_topics.labels(topic)
        for spec in deployment_specs(kafka.topic_plan):
            if spec.name in read and spec.retention_ms >= 0:
                retention_s = spec.retention_ms / 1000
                monitor_metrics.retention_seconds.labels(spec.name).set(retention_s)

    def readiness_problem(self) -> str | None:
        """Return why the last measurement failed, None if it did not."""
        return self._reason

    async def run(self) -> None:
        """Measure until cancelled; after a failure, over a new connection."""
        while True:
            try:
                async with TopicAdmin(self._kafka) as admin:
                    while True:
                        await self._measure(admin)
                        await self._clock.sleep(self._interval_s)
            except (TransientError, ConfigurationError) as error:
                self._failed(error)
            await self._clock.sleep(self._interval_s)

    async def _measure(self, admin: TopicAdmin) -> None:
        """Measure everything once.

        A refused request, such as one for a topic that does not exist, does not affect the others.

        Raises:
            TransientError: the brokers do not answer.
            ConfigurationError: they refused at least one request.
        """
        refused = []
        read = {topic for topics in self.groups.values() for topic in topics}
        self._check_topic_ids(await admin.topic_ids({*read, *self._dead_letter_topics}))
        for group, topics in self.groups.items():
            try:
                lags = await admin.lag(group, topics)
                ages_s = await self._ages_s(group, lags)
                monitor_metrics.members.labels(group).set(await admin.member_count(group))
            except ConfigurationError as error:
                refused.append(error)
            else:
                self._set_lag(group, topics, lags, ages_s)
        for topic in self._dead_letter_topics:
            try:
                await self._measure_dead_letters(admin, topic)
            except ConfigurationError as error:
                refused.append(error)
        if refused:
            raise refused[0]
        monitor_metrics.last_measurement.set(self._clock.now().timestamp())
        if self._reason is not None:
            _log.info("the brokers answer")
            self._reason = None

    def _check_topic_ids(self, present: Mapping[str, str]) -> None:
        """Count topics whose id has changed; ids of deleted topics are kept.

        Brokers forget a group's commits in a deleted topic, so its worker often cannot detect the
        change.
        """
        for topic, topic_id in present.items():
            before = self._topic_ids.get(topic, "")
            if differs(before, topic_id):
                monitor_metrics.recreated_topics.labels(topic).inc()
                _log.error("topic recreated", topic=topic, before=before, now=topic_id)
        self._topic_ids |= present

    async def _measure_dead_letters(self, admin: TopicAdmin, topic: str) -> None:
        bounds = await admin.log_bounds([topic])
        # Measured as the lag of a group that has done none of it.
        lags = {source: Lag(start, start, end) for source, (start, end) in bounds.items()}
        ages_s = await self._ages_s(topic, lags)
        records = sum(lag.behind for lag in lags.values())
        monitor_metrics.failed_records.labels(topic).set(records)
        monitor_metrics.failed_oldest_seconds.labels(topic).set(max(ages_s.values(), default=0.0))
        ends = sum(lag.log_end for lag in lags.values())
        monitor_metrics.failed_end_offsets.labels(topic).set(ends)

    async def _ages_s(
        self, subject: str, lags: Mapping[TopicPartition, Lag]
    ) -> Mapping[TopicPartition, float]:
        """Return the age of the first undone record where it is older than the last measurement."""
        ages = self._ages[subject]
        made_ms = ages.note(lags, await timestamps_at(self._kafka, ages.unknown(lags)))
        now_ms = self._clock.now().timestamp() * 1000
        return {source: max(0.0, now_ms - moment) / 1000 for source, moment in made_ms.items()}

    def _set_lag(
        self,
        group: str,
        topics: Collection[str],
        lags: Mapping[TopicPartition, Lag],
        ages_s: Mapping[TopicPartition, float],
    ) -> None:
        for topic in topics:
            own = {source: lag for source, lag in lags.items() if source.topic == topic}
            oldest_s = max((ages_s.get(source, 0.0) for source in own), default=0.0)
            late_s = max(0.0, oldest_s - self._delays_s.get(topic, 0))
            labels = (group, topic)
            records = sum(lag.behind for lag in own.values())
            expired = sum(lag.expired for lag in own.values())
            monitor_metrics.lag_records.labels(*labels).set(records)
            monitor_metrics.lag_seconds.labels(*labels).set(late_s)
            monitor_metrics.expired_records.labels(*labels).set(expired)

    def _failed(self, error: TransientError | ConfigurationError) -> None:
        monitor_metrics.failures.labels(_kind(type(error))).inc()
        reason = str(error)
        if reason != self._reason:
            _log.warning("measurement failed", reason=reason)
        self._reason = reason


def _kind(error: type[TransientError] | type[ConfigurationError]) -> str:
    return "transient" if issubclass(error, TransientError) else "configuration"
