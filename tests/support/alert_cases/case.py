"""What each alert is tried on: series as Prometheus would have scraped them, and what has to fire.

The notation is promtool's: ``0+10x5`` is 0, 10, … 50; ``1x3`` is 1 four times; ``_x3`` is nothing
three times. A sample is a minute, so the 30th of a series is scraped at 30m.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Case:
    """One course of things.

    ``fires`` has what is firing at a moment: the labels, beside the severity, of each instance.
    ``value`` is the text that stands in the annotations.
    """

    alert: str
    series: Mapping[str, str]
    fires: Mapping[str, list[dict[str, str]]]
    silent: tuple[str, ...] = ()
    value: str = ""
    minutes: int = 1
    note: str = field(default="", kw_only=True)


def part(name: str, instance: str, job: str = "zcc") -> str:
    return f'zcc_process_start_time_seconds{{part="{name}",job="{job}",instance="{instance}"}}'


def lag(group: str, topic: str = "zcc.enriched.task.v1") -> str:
    return f'zcc_monitor_group_lag_seconds{{group="{group}",topic="{topic}"}}'


pg = {"worker": "postgres"}
sink = {"job": "zcc", "instance": "sink:9100"}
