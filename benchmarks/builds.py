"""A benchmark of two checkouts in turns: `python -m benchmarks.builds --other DIR --what runtime`.

Each turn runs the benchmark in one checkout and then in the other, in its own interpreter, so that
what the machine does besides meets both alike. The last line is one JSON object: for each figure
that both report the medians of the turns and the ratio of this checkout to the other. Arguments
after ``--`` go to the benchmark.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Final

from benchmarks.contract import machine

here: Final = Path(__file__).parents[1]
noise: Final = frozenset({"rounds", "cores", "events", "records"})
"""What a report repeats of its own arguments."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--other", type=Path, required=True, help="a checkout with its .venv")
    parser.add_argument("--what", required=True, help="the benchmark")
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("arguments", nargs="*", help="for the benchmark, after --")
    options = parser.parse_args()
    checkouts = {"other": options.other.resolve(), "this": here}
    reports: dict[str, list[Mapping[str, object]]] = {name: [] for name in checkouts}
    loads = []
    for turn in range(options.turns):
        order = list(checkouts.items())
        for name, folder in order if turn % 2 == 0 else reversed(order):
            loads.append(round(os.getloadavg()[0], 1))
            reports[name].append(report_of(folder, options.what, options.arguments))
            print(f"turn {turn + 1} of {options.turns}: {name}", file=sys.stderr)
    print(
        json.dumps(
            {
                "benchmark": f"builds-{options.what}",
                "figures": compared(reports["this"], reports["other"]),
                "arguments": options.arguments,
                "turns": options.turns,
                "load_before_each": loads,
                "cores": os.cpu_count(),
                "machine": machine(),
                "commits": {name: each[0]["commit"] for name, each in reports.items()},
            }
        )
    )


def report_of(folder: Path, what: str, arguments: Sequence[str]) -> Mapping[str, object]:
    """Run the benchmark in a checkout; return its report."""
    command = [str(folder / ".venv/bin/python"), "-m", f"benchmarks.{what}", *arguments]
    done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, check=True, text=True)
    report: Mapping[str, object] = json.loads(done.stdout.splitlines()[-1])
    return report


def compared(
    these: Sequence[Mapping[str, object]], others: Sequence[Mapping[str, object]]
) -> Mapping[str, Mapping[str, float]]:
    """Return the medians and the ratio of each figure that all reports have."""
    mine, theirs = ([dict(figures(each)) for each in reports] for reports in (these, others))
    result = {}
    for name in mine[0]:
        if all(name in each for each in (*mine, *theirs)):
            this = median(each[name] for each in mine)
            other = median(each[name] for each in theirs)
            if other:
                ratio = round(this / other, 3)
                result[name] = {"other": round(other, 4), "this": round(this, 4), "ratio": ratio}
    return result


def figures(report: object, name: str = "") -> Iterator[tuple[str, float]]:
    """Yield the numbers of a report by their path."""
    if isinstance(report, Mapping):
        for key, value in report.items():
            if key not in noise:
                yield from figures(value, f"{name}.{key}" if name else str(key))
    elif isinstance(report, (int, float)) and not isinstance(report, bool):
        yield name, report


if __name__ == "__main__":
    main()
