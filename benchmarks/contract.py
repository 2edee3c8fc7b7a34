"""What it costs to say what an event is called and where it goes: `python -m benchmarks.contract`.

One core, no I/O: the made-up example of each known event, its envelope read, its identity, its
route and its headers made. The last line is one JSON object; times are processor time of this
process, the best of several rounds.
"""

import argparse
import json
import os
import platform
import subprocess
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path

from schemas import headers, identity, topics
from schemas.catalogue import events, example
from schemas.envelope import Envelope, read_envelope

target_us = 25.0
pseudonym_key = b"pseudonym-key-of-a-benchmark"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--repeats", type=int, default=20, help="passes over all events per round")
    arguments = parser.parse_args()
    bodies = [example(name) for name in events]
    envelopes = [read_envelope(body) for body in bodies]

    def cost(step: Callable[[], object]) -> float:
        return round(best_us(step, arguments.rounds, arguments.repeats, len(bodies)), 2)

    figures = {
        "read_envelope_us": cost(lambda: [read_envelope(body) for body in bodies]),
        "event_id_us": cost(lambda: [identity.event_id(envelope) for envelope in envelopes]),
        "identity_routing_headers_us": cost(lambda: [record_of(each) for each in envelopes]),
    }
    report = {
        "benchmark": "contract",
        **figures,
        "target_us": target_us,
        "met": figures["identity_routing_headers_us"] < target_us,
        "events": len(bodies),
        "mean_body_bytes": round(sum(map(len, bodies)) / len(bodies)),
        "python": platform.python_version(),
        "orjson": version("orjson"),
        "cores": os.cpu_count(),
        "machine": machine(),
        "commit": commit(),
    }
    print(json.dumps(report))


def record_of(envelope: Envelope) -> tuple[str, bytes, headers.Headers]:
    """Topic, key and headers of an event, as ingest makes them."""
    address = identity.event_address(envelope, pseudonym_key=pseudonym_key)
    key = address.partition_key
    own = headers.event_headers(
        envelope,
        event_id=identity.event_id(envelope),
        occurred_at_ms=identity.occurred_at_ms(envelope),
        subject=address.subject,
        partition_key=key,
    )
    topic = topics.raw_topic(headers.family_of(envelope.event), prefix="zcc")
    return topic, key.encode(), own


def machine() -> str:
    """The model of the processor, as Linux names it."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), "?")


def best_us(step: Callable[[], object], rounds: int, repeats: int, events_per_step: int) -> float:
    """Processor time per event in microseconds: the best round, as others only add noise."""
    spent: Sequence[float] = [seconds(step, repeats) for _ in range(rounds)]
    return min(spent) / (repeats * events_per_step) * 1e6


def seconds(step: Callable[[], object], repeats: int) -> float:
    """Processor time of some repeats."""
    start = time.process_time()
    for _ in range(repeats):
        step()
    return time.process_time() - start


def commit() -> str:
    """The commit of the checkout, with ``+`` behind it where files differ from it."""
    git = ["git", "describe", "--always", "--dirty=+"]
    done = subprocess.run(git, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


if __name__ == "__main__":
    main()
