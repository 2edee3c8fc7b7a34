"""`zcc simulate`, `devstack`, `up`, `rehearse`: commands that need the checkout.

Their help does not: this module imports nothing of the simulator and the devstack.
"""

import os
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, cast

import typer

from operations.lazy import load_from_checkout
from operations.local.rehearsed_actions import RehearsedAction
from operations.local.up_options import UpOptions
from runtime.errors import ConfigurationError


class DevstackPart(StrEnum):
    """Servers that `zcc devstack` starts."""

    KAFKA = "kafka"
    POSTGRES = "postgres"
    S3 = "s3"


def simulate(
    *,
    faults: Annotated[
        str | None,
        typer.Option(help="Faults of the REST API; default: ZCC_SIMULATOR_REST_FAULTS."),
    ] = None,
) -> None:
    """Play Zoom: send signed webhooks and serve the REST API; needs the checkout."""
    run = _from_checkout("operations.local.simulate:run", needs="simulator")
    if faults is not None:
        os.environ["ZCC_SIMULATOR_REST_FAULTS"] = faults
    run()


def devstack(
    *,
    directory: Annotated[Path, typer.Option(help="Folder for data and logs.")] = Path(".devstack"),
    part: Annotated[
        list[DevstackPart] | None, typer.Option(help="Start only this part; repeat for several.")
    ] = None,
    kafka_port: Annotated[int, typer.Option(help="0 = any free port.")] = 0,
    postgres_port: Annotated[int, typer.Option(help="0 = any free port.")] = 0,
    s3_port: Annotated[int, typer.Option(help="0 = any free port.")] = 0,
) -> None:
    """Run Kafka, Postgres and an S3 server here, without containers, until Ctrl-C."""
    run = _from_checkout("operations.local.devstack:run", needs="devstack")
    wanted = frozenset(each.value for each in part or DevstackPart)
    run(directory, wanted, kafka_port=kafka_port, postgres_port=postgres_port, s3_port=s3_port)


def up(  # noqa: PLR0913 - each is an option of the command
    *,
    events: Annotated[int, typer.Option(min=0, help="Events to send; 0 = until Ctrl-C.")] = 0,
    leave: Annotated[
        bool,
        typer.Option("--exit", help="Stop when all events are accounted for (needs --events)."),
    ] = False,
    report: Annotated[Path | None, typer.Option(help="Write the report to this file.")] = None,
    rate: Annotated[
        float | None, typer.Option(min=0, help="Events per second; 0 = no limit.")
    ] = None,
    duplicates: Annotated[
        float, typer.Option(min=0, max=1, help="Share of events sent twice.")
    ] = 0.02,
    reorder: Annotated[float, typer.Option(min=0, max=1, help="Share of events sent late.")] = 0.02,
    time_scale: Annotated[
        float, typer.Option(min=1, help="Factor by which simulated time runs faster.")
    ] = 600,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the random events.")] = 1,
    settle_timeout: Annotated[
        float,
        typer.Option(min=1, help="Seconds without progress after which events count as missing."),
    ] = 60,
    directory: Annotated[
        Path | None,
        typer.Option(help="Keep data and logs here; default: remove them after success."),
    ] = None,
) -> None:
    """Run everything on this machine, with Zoom simulated. Ctrl-C drains."""
    run = _from_checkout("operations.local.up_command:run", needs="simulator and devstack")
    if leave and not events:
        raise ConfigurationError("--exit needs --events: without them a run is endless")
    options = UpOptions(
        events=events,
        rate_per_s=_default_rate(events) if rate is None else rate,
        duplicates=duplicates,
        reorder=reorder,
        time_scale=time_scale,
        seed=seed,
        settle_timeout_s=settle_timeout,
        linger=bool(events) and not leave,
    )
    raise typer.Exit(cast("int", run(options, directory=directory, report=report)))


def rehearse(
    action: Annotated[
        RehearsedAction, typer.Argument(help="What to do; kill is like a power cut.")
    ],
    store: Annotated[DevstackPart, typer.Argument(help="Store to act on.")],
    *,
    socket: Annotated[
        str, typer.Option(envvar="ZCC_UP_SOCKET", help="Socket of the running `zcc up`.")
    ] = "",
) -> None:
    """Stop or start a store of a running `zcc up`, to see what an outage does."""
    run = _from_checkout("operations.local.rehearsal:run", needs="devstack")
    run(action, store.value, socket=socket)


def _default_rate(events: int) -> float:
    return 200.0 if events else 20.0


def _from_checkout(reference: str, *, needs: str) -> Callable[..., object]:
    return load_from_checkout(
        reference,
        error=f"this command needs the checkout: the installed product does not contain {needs}",
    )
