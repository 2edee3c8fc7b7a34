"""Runs histories of workers until one shows a violation.

Run as `python -m tests.support.histories.simulate`, or `make simulate`.
Where something does not hold it prints what, the seed, and how to see every event of that history.
Histories are spread over all cores; of a few of them it prints fingerprints.
"""

import argparse
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import chain

import structlog

from tests.support.histories.handler import HandlerHistory
from tests.support.histories.history import History, ViolationError, lived
from tests.support.histories.poller import PollerHistory
from tests.support.histories.sink import SinkHistory

kinds: dict[str, type[History]] = {
    kind.name: kind for kind in (HandlerHistory, SinkHistory, PollerHistory)
}
piece = 50
few = 10


def explored(kind: type[History], seeds: Sequence[int]) -> tuple[list[str], str | None]:
    """Return a line for each history that held, and what is said of the first that did not."""
    lines = []
    for seed in seeds:
        try:
            history = lived(kind(seed))
        except ViolationError as violation:
            command = f"python -m {__spec__.name} --kind {kind.name} --first {seed} --trace"
            return lines, f"{violation}\nsee it by: {command}"
        lines.append(f"{kind.name} {seed} {history.digest}")
    return lines, None


def _silently_explored(kind: type[History], seeds: Sequence[int]) -> tuple[list[str], str | None]:
    _be_silent()
    return explored(kind, seeds)


def _be_silent() -> None:
    structlog.configure(processors=[_drop])


def _drop(*_: object) -> structlog.typing.EventDict:
    raise structlog.DropEvent


def _trace(history: History) -> None:
    _be_silent()
    try:
        lived(history)
    finally:
        for moment_s, *event in history.trace:
            _say(f"{moment_s:9.4f}", *map(str, event))


def _explore(chosen: Sequence[type[History]], seeds: range) -> None:
    pieces = [seeds[at : at + piece] for at in range(0, len(seeds), piece)]
    count = 0
    with ProcessPoolExecutor() as processes:
        for lines, violation in chain.from_iterable(
            processes.map(partial(_silently_explored, kind), pieces) for kind in chosen
        ):
            count += len(lines)
            if len(seeds) <= few:
                _say("\n".join(lines))
            if violation is not None:
                processes.shutdown(wait=False, cancel_futures=True)
                sys.exit(violation)
    _say(f"{count} histories, nothing to complain of")


def _say(*words: str) -> None:
    sys.stdout.write(" ".join(words) + "\n")


def main() -> None:
    """Run them; exit with 1 where something does not hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=10_000, help="how many histories of each kind")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--kind", choices=sorted(kinds), help="only those of this kind")
    parser.add_argument("--trace", action="store_true", help="print each event of the first seed")
    options = parser.parse_args()
    chosen = [kinds[options.kind]] if options.kind else list(kinds.values())
    if options.trace:
        _trace(chosen[0](options.first))
    else:
        _explore(chosen, range(options.first, options.first + options.seeds))


if __name__ == "__main__":
    main()
