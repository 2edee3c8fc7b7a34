"""Pure: parses the JSON of the apps that may send.

An app is its secrets, newest first (``{"sales": ["new", "old"]}``), or an object with more:
``secrets``, ``accounts``, ``networks``, and ``basic`` or ``header``. An error names the app and the
member, never its value.
"""

import re
from base64 import b64encode
from collections.abc import Mapping
from ipaddress import IPv6Network, ip_network
from typing import Annotated, Final

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from ingest.apps.registry import App, Apps, Credential, Network

_min_secret_length: Final = 16
"""Characters of a secret token. Zoom's are longer, and a shorter one can be found offline by trying
secrets against one signed webhook."""

_name: Final = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"

apps_form: Final = (
    "expected a JSON object of at least one app with a list of at least one secret "
    '({"default": ["..."]}) or an object with "secrets", "accounts", "networks", and "basic" or '
    '"header"; names of letters, digits, dot, dash and underscore'
)


def read_apps(content: object) -> Apps:
    """Return the apps of a JSON text or of parsed JSON.

    Raises:
        ValueError: it has another form; the message says where, and holds no secret.
    """
    if isinstance(content, Apps):
        return content
    try:
        if isinstance(content, str | bytes):
            parsed = _apps.validate_json(content)
        else:
            parsed = _apps.validate_python(content)
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        raise ValueError(_problem(first["type"], first["loc"], first["msg"])) from None
    return Apps(app.named(name) for name, app in parsed.items())


def _secret(value: SecretStr) -> SecretStr:
    text = value.get_secret_value()
    if not text or text != text.strip():
        raise ValueError("a secret that is empty or has blanks around it")
    return value


def _secret_token(value: SecretStr) -> SecretStr:
    if len(value.get_secret_value()) < _min_secret_length:
        raise ValueError(f"a secret of fewer than {_min_secret_length} characters")
    return value


def _account(value: str) -> str:
    if not value or value != value.strip():
        raise ValueError("an account that is empty or has blanks around it")
    return value


def _network(value: object) -> Network:
    try:
        network = ip_network(value) if isinstance(value, str) else None
    except ValueError:
        network = None
    if network is None:
        raise ValueError(
            "a network of another form than 192.0.2.0/24, 192.0.2.7 or 2001:db8::/32, or with bits "
            "beyond its prefix"
        )
    if isinstance(network, IPv6Network) and network.network_address.ipv4_mapped:
        raise ValueError("a network of IPv4 within IPv6: write it as IPv4, as peers are compared")
    return network


def _username(value: str) -> str:
    """Source: RFC 7617, section 2: a colon ends the user's name."""
    if not value or ":" in value:
        raise ValueError("a username that is empty or has a colon in it")
    return value


def _header_name(value: str) -> str:
    """Source: RFC 9110, section 5.6.2."""
    if not re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", value):
        raise ValueError("a header whose name no header can have")
    return value.lower()


Secret = Annotated[SecretStr, AfterValidator(_secret)]
SecretToken = Annotated[Secret, AfterValidator(_secret_token)]


class _Part(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", hide_input_in_errors=True, arbitrary_types_allowed=True
    )


class _Basic(_Part):
    username: Annotated[str, AfterValidator(_username)]
    password: Secret

    def credential(self) -> Credential:
        pair = f"{self.username}:{self.password.get_secret_value()}"
        return Credential(b"authorization", b"Basic " + b64encode(pair.encode()))


class _Header(_Part):
    name: Annotated[str, AfterValidator(_header_name)]
    value: Secret

    def credential(self) -> Credential:
        return Credential(self.name.encode(), self.value.get_secret_value().encode())


class _App(_Part):
    """An empty list is refused: it could mean nobody or anybody."""

    secrets: Annotated[tuple[SecretToken, ...], Field(min_length=1)]
    accounts: Annotated[
        frozenset[Annotated[str, AfterValidator(_account)]], Field(min_length=1)
    ] = frozenset()
    networks: Annotated[
        tuple[Annotated[Network, BeforeValidator(_network)], ...], Field(min_length=1)
    ] = ()
    basic: _Basic | None = None
    header: _Header | None = None

    @model_validator(mode="before")
    @classmethod
    def _list_is_secrets(cls, value: object) -> object:
        return value if isinstance(value, Mapping) else {"secrets": value}

    @model_validator(mode="after")
    def _one_credential(self) -> "_App":
        if self.basic and self.header:
            raise ValueError("both basic and header: set one of the two")
        return self

    def named(self, name: str) -> App:
        credential = self.basic or self.header
        return App(
            name=name,
            secrets=tuple(secret.get_secret_value().encode() for secret in self.secrets),
            accounts=self.accounts,
            networks=self.networks,
            credential=credential.credential() if credential else None,
        )


_apps: Final[TypeAdapter[Mapping[str, _App]]] = TypeAdapter(
    Annotated[Mapping[Annotated[str, Field(pattern=_name)], _App], Field(min_length=1)]
)


def _problem(kind: str, path: tuple[int | str, ...], message: str) -> str:
    """Describe an error by known names only: another name may be a misplaced secret."""
    app, member = (*path, "", "")[:2]
    if kind == "value_error":
        return f"app {app!r} has {message.removeprefix('Value error, ')}"
    where = f"app {app!r}, {member}: " if member in _App.model_fields else ""
    return f"{where}{apps_form}"
