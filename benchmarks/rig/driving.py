"""Drives one contender at a time, by wrk where it is installed, else by processes of our own."""

import asyncio
import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final, TypedDict

from benchmarks.rig.contenders import Contender, module
from benchmarks.rig.load import buckets_per_s, signed

_own_processes: Final = 2
_wrk_threads: Final = 2


class Driven(TypedDict):
    """The result of a drive; ``not_kept`` counts responses other than 2xx, and none."""

    seconds: float
    answered: int
    not_kept: int
    p50_ms: float
    p99_ms: float


def tool() -> str:
    """Return what drives: figures of one are not those of the other."""
    return "wrk" if shutil.which("wrk") else "own"


async def drive(
    contender: Contender, bodies: Sequence[bytes], secret: str, *, connections: int, seconds: float
) -> Driven | None:
    """Send signed requests for so long; None where nobody listens yet."""
    by_wrk = tool() == "wrk" and len(contender.ports) == 1
    run = _by_wrk if by_wrk else _by_own
    with tempfile.TemporaryDirectory() as folder:
        return await run(Path(folder), contender, bodies, secret, connections, seconds)


async def _by_wrk(
    folder: Path,
    contender: Contender,
    bodies: Sequence[bytes],
    secret: str,
    connections: int,
    seconds: float,
) -> Driven | None:
    requests = folder / "requests"
    whole = signed(bodies, contender.path, secret)
    requests.write_bytes(b"".join(len(each).to_bytes(4, "big") + each for each in whole))
    printed = await _output(
        *("wrk", "-t", str(_wrk_threads), "-c", str(connections), "-d", f"{seconds:g}s"),
        *("--timeout", "10s", "-s", str(Path(__file__).with_name("requests.lua"))),
        *(f"http://127.0.0.1:{contender.ports[0]}/", "--", str(requests)),
    )
    if printed is None:
        return None
    driven: Driven = json.loads(printed.splitlines()[-1])
    return driven


async def _by_own(
    folder: Path,
    contender: Contender,
    bodies: Sequence[bytes],
    secret: str,
    connections: int,
    seconds: float,
) -> Driven | None:
    file = folder / "bodies"
    file.write_bytes(b"\n".join(bodies))
    command = module(
        *("benchmarks.rig.load", "--path", contender.path, "--bodies", str(file)),
        *("--secret", secret, "--seconds", str(seconds)),
        *("--connections", str(connections // _own_processes)),
        *("--ports", *map(str, contender.ports)),
    )
    printed = await asyncio.gather(*(_output(*command) for _ in range(_own_processes)))
    loads = [json.loads(each) for each in printed if each]
    return _merged(loads) if loads else None


def _merged(loads: Sequence[dict[str, dict[str, int]]]) -> Driven:
    latencies: Counter[int] = Counter()
    for load in loads:
        latencies.update({int(bucket): count for bucket, count in load["latencies"].items()})
    answered = sum(sum(load["statuses"].values()) for load in loads)
    kept = sum(load["statuses"].get("204", 0) for load in loads)
    return Driven(
        seconds=max(float(str(load["seconds"])) for load in loads),
        answered=answered,
        not_kept=answered - kept,
        p50_ms=_percentile_ms(latencies, 0.50),
        p99_ms=_percentile_ms(latencies, 0.99),
    )


def _percentile_ms(latencies: Counter[int], share: float) -> float:
    left = share * latencies.total()
    for bucket in sorted(latencies):
        left -= latencies[bucket]
        if left <= 0:
            return (bucket + 1) * 1000 / buckets_per_s
    raise ValueError("no request was answered")


async def _output(*command: str) -> str | None:
    child = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    printed, _ = await child.communicate()
    return printed.decode() if child.returncode == 0 and printed else None
