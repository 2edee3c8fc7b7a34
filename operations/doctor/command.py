"""`zcc doctor`: checks whether the configuration can work, and names the faults."""

import asyncio
import json
from typing import Annotated

import typer

from operations.doctor.checks import CheckResult, examine
from runtime.clock import Clock, SystemClock


def doctor(
    *, as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False
) -> None:
    """Check settings, Zoom's token and scopes, clock, Kafka and stores; exit 1 on a fault."""
    raise typer.Exit(asyncio.run(run(as_json=as_json, clock=SystemClock())))


async def run(*, as_json: bool, clock: Clock) -> int:
    """Print the results of all checks; return the exit code: 1 if anything is wrong."""
    findings: list[CheckResult] = []
    async for finding in examine(clock):
        findings.append(finding)
        if not as_json:
            typer.echo(f"{finding.state:8}{finding.check:18} {finding.text}")
    well = all(finding.state != "wrong" for finding in findings)
    if as_json:
        results = [{"check": f.check, "state": f.state, "text": f.text} for f in findings]
        typer.echo(json.dumps({"well": well, "findings": results}))
    return 0 if well else 1
