"""`zcc dead-letters list`, `show`, `replay`, `discard`.

Exit codes: 0 done, 1 nothing matched or not all of it was done, 2 wrong usage.
"""

import asyncio
import sys
from collections import Counter
from contextlib import aclosing
from functools import partial
from typing import Annotated, Final, NamedTuple

import typer

from operations.components import workers as all_workers
from operations.dead_letters import options, output
from operations.dead_letters.actions import Act, Judge, discard, to_origin, to_worker
from operations.dead_letters.executor import Executor, Operator, Plan, carry_out, plan, replay_rules
from operations.dead_letters.letter import RecordId
from operations.dead_letters.reading import DeadLetterFilter, find, find_open
from operations.dead_letters.selection import Selection
from operations.settings.loading import read_settings
from runtime.clock import SystemClock
from runtime.errors import ConfigurationError
from runtime.kafka import KafkaPublisher
from runtime.settings import KafkaSettings
from schemas.topics import dead_letter_audit_topic

dead_letters_app = typer.Typer(
    help="Dead letters of the workers: list, show, replay, discard.", no_args_is_help=True
)
_clock: Final = SystemClock()


@dead_letters_app.command("list")
@options.filtered
def list_letters(
    wanted: DeadLetterFilter,
    *,
    handled_too: Annotated[
        bool, typer.Option("--all", help="Include those already replayed or discarded.")
    ] = False,
    summary: Annotated[
        bool, typer.Option("--summary", help="Count by fingerprint: equal causes.")
    ] = False,
    limit: Annotated[
        int, typer.Option(min=1, help="Maximum rows of the table; the earliest come first.")
    ] = 100,
    as_json: options.AsJson = False,
) -> None:
    """Print dead letters, without keys and bodies; exit 1 if there are none."""
    readings = (find if handled_too else find_open)(_kafka(), wanted)
    if summary:
        count = asyncio.run(output.print_summary(readings, as_json=as_json))
    else:
        count = asyncio.run(output.print_letters(readings, as_json=as_json, limit=limit))
    raise typer.Exit(_exit_code(count))


@dead_letters_app.command()
def show(
    letter: Annotated[
        str,
        typer.Argument(
            metavar="LETTER", help="topic/partition/offset of the dead letter or of its origin."
        ),
    ],
    *,
    body: Annotated[
        bool, typer.Option("--body", help="Print the body too: it is personal data.")
    ] = False,
    as_json: options.AsJson = False,
) -> None:
    """Print a dead letter with its key and all its headers; exit 1 if there is none."""
    record_id = RecordId.parse(letter)
    if record_id is None:
        raise ConfigurationError(f"{letter}: expected topic/partition/offset")
    if body:
        typer.echo("zcc: the body holds personal data", err=True)
    readings = find(_kafka(), DeadLetterFilter(all_workers, Selection()))
    count = asyncio.run(output.print_whole(readings, record_id, body=body, as_json=as_json))
    raise typer.Exit(_exit_code(count))


@dead_letters_app.command()
@options.filtered
def replay(  # noqa: PLR0913 - each is an option of the command
    wanted: DeadLetterFilter,
    *,
    limit: options.Limit = None,
    rate: options.Rate = None,
    worker_only: Annotated[
        bool,
        typer.Option(
            "--to-worker",
            help="Send it to the failed worker only, not to all readers of the topic.",
        ),
    ] = False,
    max_replays: Annotated[
        int, typer.Option(min=1, help="Refuse dead letters with this many replays already.")
    ] = 3,
    by: options.By = None,
    reason: Annotated[str, typer.Option(help="Reason, for the audit.")] = "",
    dry_run: options.DryRun = False,
    yes: options.Yes = False,
    as_json: options.AsJson = False,
) -> None:
    """Send open dead letters again; exit 1 if there are none, or some are refused."""
    how = _How(options.operator(by, reason), limit, rate, dry_run, yes, as_json)
    rules = asyncio.run(replay_rules(_kafka(), max_replays=max_replays))
    if worker_only:
        now_ms = int(_clock.now().timestamp() * 1000)
        raise typer.Exit(
            _act("replay", wanted, partial(to_worker, rules=rules, now_ms=now_ms), how)
        )
    raise typer.Exit(_act("replay", wanted, partial(to_origin, rules=rules), how))


@dead_letters_app.command("discard")
@options.filtered
def discard_letters(  # noqa: PLR0913 - each is an option of the command
    wanted: DeadLetterFilter,
    *,
    reason: Annotated[str, typer.Option(help="Reason, for the audit.")],
    limit: options.Limit = None,
    by: options.By = None,
    dry_run: options.DryRun = False,
    yes: options.Yes = False,
    as_json: options.AsJson = False,
) -> None:
    """Let open dead letters count as handled without sending them; exit 1 if there are none."""
    if not reason.strip():
        raise ConfigurationError("--reason: expected why these letters need no replay")
    how = _How(options.operator(by, reason), limit, None, dry_run, yes, as_json)
    raise typer.Exit(_act("discard", wanted, discard, how))


class _How(NamedTuple):
    operator: Operator
    limit: int | None
    rate_per_s: float | None
    dry_run: bool
    yes: bool
    as_json: bool


def _act(verb: str, wanted: DeadLetterFilter, judge: Judge, how: _How) -> int:
    """Plan, ask for confirmation, act and report; return the exit code."""
    kafka = _kafka()
    planned = asyncio.run(plan(find_open(kafka, wanted), judge, limit=how.limit))
    count = len(planned.chosen)
    if how.dry_run:
        output.print_plan(planned, as_json=how.as_json, to=sys.stdout)
        return _exit_code(count, refused=planned.refused.total())
    if count and not how.yes:
        output.print_plan(planned, as_json=False, to=sys.stderr)
        typer.echo(f"Type {count} to {verb} {count} letters:", err=True)
        if sys.stdin.readline().strip() != str(count):
            typer.echo("zcc: not confirmed: nothing was done", err=True)
            return 1
    outcomes = asyncio.run(_carry_out(kafka, wanted, judge, planned, how))
    if outcomes.total():
        summary = ", ".join(f"{number} {outcome}" for outcome, number in outcomes.items())
        typer.echo(f"zcc: {summary}", err=True)
    return _exit_code(count, refused=outcomes["refused"])


async def _carry_out(
    kafka: KafkaSettings, wanted: DeadLetterFilter, judge: Judge, planned: Plan, how: _How
) -> Counter[str]:
    outcomes = Counter[str]()
    async with KafkaPublisher(kafka, client_id="zcc-dead-letters", clock=_clock) as publisher:
        executor = Executor(
            publisher,
            _clock,
            audit_topic=dead_letter_audit_topic(prefix=kafka.topic_prefix),
            operator=how.operator,
            rate_per_s=how.rate_per_s,
        )
        async with (
            aclosing(find_open(kafka, wanted)) as readings,
            aclosing(carry_out(readings, judge, planned, executor)) as outcomes_of,
        ):
            async for letter, outcome in outcomes_of:
                output.print_outcome(letter, outcome, as_json=how.as_json)
                outcomes[outcome.action if isinstance(outcome, Act) else "refused"] += 1
    return outcomes


def _exit_code(count: int, *, refused: int = 0) -> int:
    if not count and not refused:
        typer.echo("zcc: nothing matched", err=True)
    return 0 if count and not refused else 1


def _kafka() -> KafkaSettings:
    return read_settings(KafkaSettings)
