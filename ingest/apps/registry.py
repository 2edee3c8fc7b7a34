"""Pure: the Zoom apps that may send, and the app of a URL."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network
from typing import Final

base_path: Final = "/webhooks/zoom"

default_app: Final = "default"
"""The app that `base_path` without a name belongs to."""

Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class Credential:
    """A header that Zoom sends with each webhook; ``name`` is in lower case."""

    name: bytes
    value: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class App:
    """One Zoom app that may send, and the secrets that it may sign with, newest first.

    No accounts and no networks mean any; without a credential, none is required.
    """

    name: str
    secrets: tuple[bytes, ...] = field(repr=False)
    accounts: frozenset[str] = frozenset()
    networks: tuple[Network, ...] = ()
    credential: Credential | None = None


class Apps:
    """All apps that may send; immutable.

    ``secrets_removed_s`` is, by path, when a secret was last removed, on the monotonic clock.
    """

    __slots__ = ("_apps", "_by_path", "secrets_removed_s")

    def __init__(
        self, apps: Iterable[App], *, secrets_removed_s: Mapping[str, float] | None = None
    ) -> None:
        self._apps = tuple(apps)
        self._by_path = {path: app for app in self._apps for path in paths(app.name)}
        self.secrets_removed_s = secrets_removed_s or {}

    def following(self, before: "Apps", *, now_s: float) -> "Apps":
        """Return these apps with the times at which secrets were removed from those before them."""
        secrets = {app.name: frozenset(app.secrets) for app in self}
        removed_s = {
            path: now_s
            for app in before
            if not secrets.get(app.name, frozenset()) >= frozenset(app.secrets)
            for path in paths(app.name)
        }
        return Apps(self, secrets_removed_s={**before.secrets_removed_s, **removed_s})

    def get(self, path: str) -> App | None:
        """Return the app of a path, None if there is none."""
        return self._by_path.get(path)

    def __iter__(self) -> Iterator[App]:
        return iter(self._apps)


def paths(name: str) -> Iterator[str]:
    """Yield the paths that belong to an app."""
    for path in (f"{base_path}/{name}", *((base_path,) if name == default_app else ())):
        yield path
        yield f"{path}/"
