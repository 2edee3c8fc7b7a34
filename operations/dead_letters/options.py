"""The options that the commands share: how to select letters, who acts, and why."""

import getpass
from collections.abc import Callable, Collection, Iterable
from functools import wraps
from inspect import Signature, signature
from typing import Annotated, Any, Final, cast

import typer

from operations.components import workers as all_workers
from operations.dead_letters.executor import Operator
from operations.dead_letters.reading import DeadLetterFilter
from operations.dead_letters.selection import Selection
from runtime.errors import ConfigurationError
from schemas.identity import epoch_ms
from schemas.reasons import DeadLetterReason

_longest_reason: Final = 1000

Texts = list[str] | None

Workers = Annotated[Texts, typer.Option("--worker", help="Worker that failed; default: all.")]
Reasons = Annotated[
    Texts, typer.Option("--failure-reason", help=f"Why: {', '.join(DeadLetterReason)}.")
]
Events = Annotated[Texts, typer.Option("--event", help="Zoom's name of the event.")]
Keys = Annotated[Texts, typer.Option("--key", help="The record's key.")]
OriginTopics = Annotated[
    Texts, typer.Option("--origin-topic", help="Topic from which the worker read it.")
]
Fingerprints = Annotated[
    Texts, typer.Option("--fingerprint", help="Fingerprint, as --summary shows it.")
]
From = Annotated[str | None, typer.Option("--from", help="Failed at this time or later; RFC 3339.")]
To = Annotated[
    str | None, typer.Option("--to", help="Failed before this time; UTC without a zone.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object per line.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Print the plan, change nothing.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")]
Limit = Annotated[
    int | None, typer.Option("--limit", min=1, help="At most this many, the earliest.")
]
Rate = Annotated[
    float | None, typer.Option("--rate", min=0.001, help="At most this many per second.")
]
By = Annotated[
    str | None,
    typer.Option("--by", help="Your name for the audit; default: the user of the system."),
]


def letter_filter(  # noqa: PLR0913 - each is an option of the commands
    *,
    worker: Workers = None,
    failure_reason: Reasons = None,
    event: Events = None,
    key: Keys = None,
    origin_topic: OriginTopics = None,
    fingerprint: Fingerprints = None,
    from_: From = None,
    to: To = None,
) -> DeadLetterFilter:
    """Return the filter that the options describe.

    Raises:
        ConfigurationError: an option has an unknown value.
    """
    selection = Selection(
        reasons=_known("--failure-reason", failure_reason or (), list(DeadLetterReason)),
        events=frozenset(event or ()),
        keys=frozenset(each.encode() for each in key or ()),
        origin_topics=frozenset(origin_topic or ()),
        fingerprints=frozenset(fingerprint or ()),
        from_ms=_moment_ms("--from", from_),
        to_ms=_moment_ms("--to", to),
    )
    return DeadLetterFilter(_known("--worker", worker or all_workers, all_workers), selection)


def filtered(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of `letter_filter`, and call it with the filter they describe.

    Typer reads options from the signature, so the command gets one with both.
    """
    filtering = signature(letter_filter).parameters
    _, *own = signature(command).parameters.values()

    @wraps(command)
    def with_filter(**options: Any) -> None:  # noqa: ANN401 - each has the type of its option
        given = {name: options.pop(name) for name in filtering}
        command(letter_filter(**given), **options)

    described = cast("Any", with_filter)
    described.__signature__ = Signature([*filtering.values(), *own])
    described.__annotations__ = {**letter_filter.__annotations__, **command.__annotations__}
    return with_filter


def operator(by: str | None, reason: str, *, user: Callable[[], str] = getpass.getuser) -> Operator:
    """Return the person who acts and the reason; without ``by``, the ``user`` of the system.

    Raises:
        ConfigurationError: the user is unknown, or the reason is too long.
    """
    if len(reason) > _longest_reason:
        raise ConfigurationError(f"--reason: expected at most {_longest_reason} characters")
    try:
        name = (user() if by is None else by).strip()
    except (KeyError, OSError):  # a container may run as a number that no user has
        name = ""
    if not name:
        raise ConfigurationError("the user of the system is unknown: name yourself with --by")
    return Operator(name, reason.strip())


def _known(option: str, given: Iterable[str], possible: Collection[str]) -> frozenset[str]:
    names = frozenset(given)
    if wrong := names - set(possible):
        raise ConfigurationError(
            f"{option} {min(wrong)}: expected one of {', '.join(sorted(possible))}"
        )
    return names


def _moment_ms(option: str, written: str | None) -> int | None:
    if written is None:
        return None
    moment_ms = epoch_ms(written)
    if moment_ms is None:
        raise ConfigurationError(
            f"{option} {written}: expected a time such as 2026-01-15T09:30:00Z"
        )
    return moment_ms
