"""Runs histories of workers until one shows a violation: `python -m tests.property.simulate`.

Prints the digest of each history with few of them, the seed and how to replay it where something
does not hold. Histories are spread over all cores.
"""

import argparse
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import chain

import structlog

from tests.property.handler_history import HandlerHistory
from tests.property.history import History, ViolationError, lived
from tests.property.sink_history import SinkHistory

kinds: dict[str, type[History]] = {"handler": HandlerHistory, "sink": SinkHistory}
piece = 50
few = 10


def digests(kind: str, seeds: range) -> tuple[list[str], str | None]:
    """Return the digests of histories, and the first violation, which ends it."""
    _be_silent()
    found = []
    for seed in seeds:
        try:
            history = lived(kinds[kind](seed))
        except ViolationError as violation:
            return found, f"{violation}\nreplay: {_command(kind, seed)}"
        found.append(f"{kind} {seed} {history.digest}")
    return found, None


def _command(kind: str, seed: int) -> str:
    return f"python -m tests.property.simulate --kind {kind} --first {seed} --seeds 1 --trace"


def _be_silent() -> None:
    structlog.configure(processors=[_drop])


def _drop(*_: object) -> structlog.typing.EventDict:
    raise structlog.DropEvent


def _trace(kind: str, seed: int) -> None:
    """Print all that happens in one history."""
    _be_silent()
    history = kinds[kind](seed)
    try:
        lived(history)
    finally:
        for moment_s, *event in history.trace:
            _say(f"{moment_s:9.4f}", *map(str, event))


def _say(*words: str) -> None:
    sys.stdout.write(" ".join(words) + "\n")


def _pieces(first: int, count: int) -> list[range]:
    every = range(first, first + count)
    return [every[at : at + piece] for at in range(0, count, piece)]


def main() -> None:
    """Run them; exit with 1 where something does not hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=10_000, help="how many histories of each kind")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--kind", choices=sorted(kinds), help="only those of this kind")
    parser.add_argument("--trace", action="store_true", help="print each event of the first seed")
    asked = parser.parse_args()
    chosen = [asked.kind] if asked.kind else sorted(kinds)
    if asked.trace:
        _trace(chosen[0], asked.first)
        return
    pieces = _pieces(asked.first, asked.seeds)
    count = 0
    with ProcessPoolExecutor() as processes:
        for found, violation in chain.from_iterable(
            processes.map(partial(digests, kind), pieces) for kind in chosen
        ):
            count += len(found)
            if asked.seeds <= few:
                _say("\n".join(found))
            if violation is not None:
                processes.shutdown(wait=False, cancel_futures=True)
                sys.exit(violation)
    _say(f"{count} histories, nothing to complain of")


if __name__ == "__main__":
    main()
