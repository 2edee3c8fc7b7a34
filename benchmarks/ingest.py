"""Ingest compared with plainer gateways, under signed load: `python -m benchmarks.ingest`.

A broker, ingest as one process and as one per core, a bare ASGI handler that only produces, a plain
FastAPI route and, with ``--peer``, Bento run side by side; the load goes to one of them at a time,
in turns, several rounds. Every body has 800 bytes and is an event of the family ``engagement``, so
that all write to one topic of four partitions. Load generator, broker and contender share the
machine, so its cores bound the requests per second; processor time per request is the steadier
figure. The last line is one JSON object; figures are medians of the rounds, processor time is in
seconds per 1,000 requests, latency in milliseconds.

``--profile`` prints what each step costs instead, ``--soak N`` the memory over N requests.
"""

import argparse
import asyncio
import json
import os
import platform
import random
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Final

import orjson

from benchmarks.contract import commit, machine
from benchmarks.rig import plain_gateways
from benchmarks.rig.contenders import Contender, broker, cpu_s, free_port, module, process
from benchmarks.rig.driving import drive, tool
from benchmarks.rig.steps import steps_us
from devstack import DevstackOptions, running
from ingest.apps.registry import base_path
from operations.components import workers
from runtime.kafka import TopicAdmin
from runtime.settings import KafkaSettings
from schemas.headers import family_of
from schemas.topics import TopicSpec, raw_topic, topic_specs
from simulator.company import make_company
from simulator.stories import event_stream

family: Final = "engagement"
body_bytes: Final = 800
secret: Final = "secret-of-a-benchmark"
peer_secret: Final = "secret"
"""Stands in the peer's configuration, and is shorter than we take; replaced there."""
peer_port: Final = 18081
peer_topic: Final = "engagement"
partitions: Final = 4
warm_up_tries: Final = 20
cores: Final = os.cpu_count() or 1

_padding: Final = b',"padding":"%s"'

Commands = dict[int, tuple[str, ...]]
"""What to start, by the port that it listens on."""

Figures = dict[str, float]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=8.0, help="of load per turn")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--connections", type=int, default=128)
    parser.add_argument("--peer", type=Path, help="a Bento binary")
    parser.add_argument("--profile", action="store_true", help="microseconds of each step")
    parser.add_argument("--soak", type=int, help="so many requests to one process: its memory")
    parser.add_argument(
        "--peer-config",
        type=Path,
        default=Path("../shared/peers/bento_http_to_kafka.yaml"),
        help=f"POST /hook on {peer_port}, secret {peer_secret!r}, topic {peer_topic!r}",
    )
    options = parser.parse_args()
    if options.profile:
        print(json.dumps({"benchmark": "ingest_steps", **profile(), **_where()}))
    else:
        print(json.dumps(asyncio.run(measure(options))))


def profile() -> dict[str, object]:
    """Return what each step of a webhook costs, without sockets and broker."""
    return {"microseconds": steps_us(some_bodies(), secret), "body_bytes": body_bytes}


async def measure(options: argparse.Namespace) -> dict[str, object]:
    """Return the report."""
    kafka_only = DevstackOptions(directory=None, parts=frozenset({"kafka"}))
    async with running(kafka_only) as stack, AsyncExitStack() as started:
        folder = Path(started.enter_context(tempfile.TemporaryDirectory()))
        bodies = some_bodies()
        kafka = KafkaSettings(
            bootstrap_servers=stack.bootstrap_servers,
            engagement_partitions=partitions,
            other_partitions=2,
            replication=1,
        )
        async with TopicAdmin(kafka) as admin:
            await admin.apply([*topic_specs(kafka.topic_plan, workers), _peer_topic()])
        topic = raw_topic(family, prefix=kafka.topic_prefix)
        contenders = [
            await started.enter_async_context(
                _contender(name, path, commands, _environment(kafka), folder)
            )
            for name, (path, commands) in _gateways(options, topic, folder).items()
            if not options.soak or name == "ingest"
        ]
        for contender in contenders:
            await _warmed(contender, bodies, folder)
        if options.soak:
            return await _soaked(contenders[0], bodies, options)
        turns: dict[str, list[Figures]] = {each.name: [] for each in contenders}
        for _ in range(options.rounds):
            for contender in contenders:
                turn = await _turn(contender, bodies, options)
                print(json.dumps({"contender": contender.name, **turn}), flush=True)
                turns[contender.name].append(turn)
    return _report(turns, options)


def some_bodies() -> list[bytes]:
    """Return distinct events of one family, each of `body_bytes`."""
    rng = random.Random(1)  # the same load in each run
    now = datetime.now(tz=UTC)
    stream = event_stream(make_company(1), seed=1, start=now, count=20_000)
    fits = (each.body for each in stream if family_of(each.event) == family)
    return [_padded(body, rng) for body in fits if _is_routable(body)]


def _is_routable(body: bytes) -> bool:
    # The plain route and the peer take the key from this member and from nowhere else.
    named = isinstance(orjson.loads(body)["payload"]["object"].get("engagement_id"), str)
    return named and len(body) <= body_bytes - len(_padding % b"")


def _padded(body: bytes, rng: random.Random) -> bytes:
    missing = body_bytes - len(body) - len(_padding % b"")
    return body[:-1] + _padding % rng.randbytes(missing).hex()[:missing].encode() + b"}"


def _peer_topic() -> TopicSpec:
    return TopicSpec(peer_topic, partitions, replication=1, cleanup="delete", retention_ms=-1)


def _gateways(
    options: argparse.Namespace, topic: str, folder: Path
) -> dict[str, tuple[str, Commands]]:
    """Return path and command by port of each contender, by name."""

    def plain_gateway(name: str) -> Commands:
        port = free_port()
        return {
            port: module(
                "benchmarks.rig.plain_gateways", name, "--port", str(port), "--topic", topic
            )
        }

    own = module("operations", "ingest")
    gateways = {
        "ingest": (base_path, {free_port(): own}),
        "ingest_per_core": (base_path, {free_port(): (*own, "--workers", str(cores))}),
        "bare": (plain_gateways.path, plain_gateway("bare")),
        "plain_fastapi": (plain_gateways.path, plain_gateway("plain")),
    }
    if options.peer:
        peer_config = folder / "peer.yaml"
        text = options.peer_config.read_text()
        peer_config.write_text(text.replace(f'"{peer_secret}"', f'"{secret}"'))
        peer = (str(options.peer), "-c", str(peer_config))
        gateways["bento"] = (plain_gateways.path, {peer_port: peer})
    return gateways


@asynccontextmanager
async def _contender(
    name: str, path: str, commands: Commands, environment: Mapping[str, str], logs: Path
) -> AsyncIterator[Contender]:
    async with AsyncExitStack() as ends:
        processes = [
            await ends.enter_async_context(
                process(
                    command,
                    {
                        **environment,
                        "ZCC_INGEST_PORT": str(port),
                        "ZCC_INGEST_HEALTH_PORT": str(free_port()),
                    },
                    logs / f"{name}.log",
                )
            )
            for port, command in commands.items()
        ]
        yield Contender(name, path, tuple(commands), tuple(processes))


def _environment(kafka: KafkaSettings) -> dict[str, str]:
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("ZCC_")},
        "ZCC_KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
        "ZCC_INGEST_HOST": "127.0.0.1",
        "ZCC_INGEST_APPS": json.dumps({"default": [secret]}),
        "ZCC_INGEST_PSEUDONYM_KEY": "pseudonym-key-of-a-benchmark",
        # The load sends the same signed requests again and again, and each is to be kept.
        "ZCC_INGEST_REMEMBERED_SIGNATURES": "0",
        "ZCC_INGEST_HEALTH_HOST": "127.0.0.1",
        "BENCHMARK_SECRET": secret,
        "PEER_KAFKA": kafka.bootstrap_servers,
    }


async def _warmed(contender: Contender, bodies: Sequence[bytes], logs: Path) -> None:
    """Wait until every request is kept.

    Raises:
        RuntimeError: it never came to that; with the end of the log.
    """
    driven = None
    for _ in range(warm_up_tries):
        driven = await drive(contender, bodies, secret, connections=16, seconds=1)
        if driven and driven["answered"] and not driven["not_kept"]:
            return
        await asyncio.sleep(0.5)
    output = (logs / f"{contender.name}.log").read_text(errors="replace")[-2000:]
    raise RuntimeError(f"{contender.name} does not keep what it gets: {driven}\n{output}")


async def _turn(
    contender: Contender, bodies: Sequence[bytes], options: argparse.Namespace
) -> Figures:
    kafka = broker()
    own_before_s, broker_before_s = contender.cpu_s(), cpu_s(kafka)
    driven = await drive(
        contender, bodies, secret, connections=options.connections, seconds=options.seconds
    )
    own_s, broker_s = contender.cpu_s() - own_before_s, cpu_s(kafka) - broker_before_s
    if driven is None:
        raise RuntimeError(f"{contender.name} does not listen any more")
    kept = driven["answered"] - driven["not_kept"]
    return {
        "requests_per_s": round(kept / driven["seconds"]),
        "p50_ms": round(driven["p50_ms"], 1),
        "p99_ms": round(driven["p99_ms"], 1),
        "cpu_s_per_1000": round(own_s / kept * 1000, 4),
        "broker_cpu_s_per_1000": round(broker_s / kept * 1000, 4),
        "rss_mib": contender.rss_mib(),
        "not_kept": driven["not_kept"],
    }


async def _soaked(
    contender: Contender, bodies: Sequence[bytes], options: argparse.Namespace
) -> dict[str, object]:
    """Send so many requests and look at the memory in between."""
    answered, not_kept = 0, 0
    rss_mib = [contender.rss_mib()]
    answered_at = [0]
    while answered < options.soak:
        driven = await drive(
            contender, bodies, secret, connections=options.connections, seconds=options.seconds
        )
        if driven is None:
            raise RuntimeError(f"{contender.name} does not listen any more")
        answered += driven["answered"]
        not_kept += driven["not_kept"]
        rss_mib.append(contender.rss_mib())
        answered_at.append(answered)
    return {
        "benchmark": "ingest_soak",
        "requests": answered,
        "not_kept": not_kept,
        "requests_at": answered_at,
        "rss_mib": rss_mib,
        **_where(),
    }


def _report(
    turns: Mapping[str, Sequence[Figures]], options: argparse.Namespace
) -> dict[str, object]:
    middle = {
        name: {figure: median(turn[figure] for turn in of_one) for figure in of_one[0]}
        for name, of_one in turns.items()
    }
    return {
        "benchmark": "ingest",
        "contenders": middle,
        "ratios": _ratios(middle),
        "requests_per_s_by_round": {
            name: [turn["requests_per_s"] for turn in of_one] for name, of_one in turns.items()
        },
        "rounds": options.rounds,
        "seconds": options.seconds,
        "connections": options.connections,
        "body_bytes": body_bytes,
        "partitions": partitions,
        "load_generator": tool(),
        **_where(),
    }


def _where() -> dict[str, object]:
    return {
        "python": platform.python_version(),
        **{name: version(name) for name in ("aiokafka", "httptools", "uvloop", "uvicorn")},
        "cores": cores,
        "machine": machine(),
        "commit": commit(),
    }


def _ratios(middle: Mapping[str, Figures]) -> Figures:
    def rate(name: str) -> float:
        return middle[name]["requests_per_s"]

    def cpu(name: str) -> float:
        return middle[name]["cpu_s_per_1000"] + middle[name]["broker_cpu_s_per_1000"]

    ratios = {
        "requests_per_s_to_bare": rate("ingest") / rate("bare"),
        "requests_per_s_to_plain_fastapi": rate("ingest") / rate("plain_fastapi"),
        "cpu_with_broker_to_plain_fastapi": cpu("ingest") / cpu("plain_fastapi"),
    }
    if "bento" in middle:
        ratios["requests_per_s_to_bento"] = rate("ingest") / rate("bento")
        ratios["requests_per_s_per_core_to_bento"] = rate("ingest_per_core") / rate("bento")
        ratios["cpu_with_broker_to_bento"] = cpu("ingest") / cpu("bento")
        ratios["cpu_with_broker_per_core_to_bento"] = cpu("ingest_per_core") / cpu("bento")
    return {name: round(ratio, 3) for name, ratio in ratios.items()}


if __name__ == "__main__":
    main()
