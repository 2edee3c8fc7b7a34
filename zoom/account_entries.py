"""Pure: parses the JSON of the accounts whose API may be called.

    [
      {"account_id": "…", "client_id": "…", "client_secret": "…", "plan": "business_plus"},
      {"account_id": "…", "client_id": "…", "client_secret_file": "second.secret", "share": 0.25}
    ]

An entry may also have ``calls_per_second``, ``calls_per_day``, ``oauth_url`` and ``api_url``; what
it leaves out is as the variable of that name says. An error names the entry by its number, from 1
on, and the member. It holds no value, and no name of a member that an entry cannot have: either may
be a misplaced secret.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Annotated, Final

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PositiveInt,
    SecretStr,
    StringConstraints,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from zoom.limits import Label, Plan
from zoom.settings import Url, ZoomSettings

max_accounts: Final = 50
"""Each has a connection pool, a scheduler, and about fifty series of metrics by its id."""

_overrides: Final = ("plan", "share", "calls_per_second", "calls_per_day", "oauth_url", "api_url")

AccountId = Annotated[str, StringConstraints(pattern=r"^[!-9;-~]{1,64}$")]
"""Visible ASCII without a colon, which separates the parts of a reference's key."""

ClientId = Annotated[str, StringConstraints(pattern=r"^[!-9;-~]{1,200}$")]
"""Source: RFC 7617, section 2: a colon ends the user's name."""


def checked_secret(value: SecretStr) -> SecretStr:
    """Return a client secret.

    Raises:
        ValueError: it cannot be one.
    """
    text = value.get_secret_value()
    if not text or not text.isascii() or not text.isprintable() or text != text.strip():
        raise ValueError("expected visible ASCII on one line, without blanks around it")
    return value


Secret = Annotated[SecretStr, AfterValidator(checked_secret)]


class AccountEntry(BaseModel):
    """One account of the list. Exactly one of ``client_secret`` and ``client_secret_file`` is set.

    The path of a file is relative to the list.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)

    account_id: AccountId
    client_id: ClientId
    client_secret: Secret | None = None
    client_secret_file: Annotated[str, Field(min_length=1)] | None = None
    plan: Plan | None = None
    share: Annotated[float, Field(gt=0, le=1)] | None = None
    calls_per_second: Mapping[Label, PositiveInt] | None = None
    calls_per_day: Mapping[Label, PositiveInt] | None = None
    oauth_url: Annotated[Url, Field(min_length=1)] | None = None
    api_url: Url | None = None

    @model_validator(mode="after")
    def _one_secret(self) -> "AccountEntry":
        if (self.client_secret is None) is (self.client_secret_file is None):
            raise ValueError("expected one of client_secret and client_secret_file")
        return self

    def settings(self, common: ZoomSettings, secret: SecretStr) -> ZoomSettings:
        """Return the settings of this account, the rest as ``common``."""
        own = {name: getattr(self, name) for name in _overrides}
        return common.model_copy(
            update={
                "account_id": self.account_id,
                "client_id": self.client_id,
                "client_secret": secret,
                **{name: value for name, value in own.items() if value is not None},
            }
        )


_entries: Final[TypeAdapter[tuple[AccountEntry, ...]]] = TypeAdapter(
    Annotated[tuple[AccountEntry, ...], Field(min_length=1, max_length=max_accounts)]
)


def parse_accounts(content: bytes) -> tuple[AccountEntry, ...]:
    """Return the entries of a JSON list, in its order; no two have the same account.

    Raises:
        ValueError: it has another form. The message says where, and holds no value.
    """
    try:
        entries = _entries.validate_json(content)
    except ValidationError as error:
        raise ValueError(_problems(error)) from None
    counts = Counter(entry.account_id for entry in entries)
    twice = [n for n, entry in enumerate(entries, 1) if counts[entry.account_id] > 1]
    if twice:
        raise ValueError(f"entries {', '.join(map(str, twice))}: an account_id more than once")
    return entries


def _problems(error: ValidationError) -> str:
    problems = error.errors(include_input=False, include_url=False, include_context=False)
    return "; ".join(dict.fromkeys(_problem(p["type"], p["loc"], p["msg"]) for p in problems))


def _problem(kind: str, path: tuple[int | str, ...], message: str) -> str:
    """Describe an error by known names only."""
    if not path:
        if kind == "json_invalid":
            return message
        return f"expected a JSON list of 1 to {max_accounts} accounts"
    number = int(path[0]) + 1
    member = path[1] if len(path) > 1 else ""
    if kind == "extra_forbidden":
        return f"entry {number}: a member that an account cannot have"
    if kind == "missing":
        return f"entry {number}: {member} is missing"
    if kind == "value_error":
        message = message.removeprefix("Value error, ")
    elif member in _forms:
        message = _forms[str(member)]
    return f"entry {number}: {f'{member}: ' if member else ''}{message}"


_forms: Final[Mapping[str, str]] = {
    "account_id": "expected 1 to 64 visible characters without a colon",
    "client_id": "expected 1 to 200 visible characters without a colon",
    "client_secret": "expected a text",
    "client_secret_file": "expected the path of a file",
    "plan": "expected pro or business_plus",
    "share": "expected a number above 0, at most 1",
    "calls_per_second": 'expected whole numbers above 0 by label, as {"HEAVY": 20}',
    "calls_per_day": 'expected whole numbers above 0 by label, as {"HEAVY": 60000}',
    "oauth_url": "expected a URL",
    "api_url": "expected a URL",
}
"""What the messages of the library would say with a value, or less clearly."""
