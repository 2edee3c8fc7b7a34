"""Brings the jar files of a list onto this machine, through jgo and Maven's own folder.

Each list (`*.jars` next to this module) is a lock: one line per file, its Maven coordinates and
the SHA-256 of its content. A file that is there and has that content is not downloaded again,
so a second start needs neither network nor jgo; a half-written one is downloaded again.
"""

import hashlib
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from devstack.locks import locked
from devstack.options import DevstackError

DOWNLOADS_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Jar:
    """One file of a Maven repository."""

    group: str
    artifact: str
    version: str
    classifier: str
    sha256: str

    @property
    def name(self) -> str:
        """The name of the file."""
        suffix = f"-{self.classifier}" if self.classifier else ""
        return f"{self.artifact}-{self.version}{suffix}.jar"

    def path(self, repository: Path) -> Path:
        """Where the file stands in a local repository."""
        return repository.joinpath(*self.group.split("."), self.artifact, self.version, self.name)


def locked_jars(part: str) -> list[Jar]:
    """The files that a part consists of."""
    text = Path(__file__).with_name(f"{part}.jars").read_text()
    return [parse(line) for line in text.splitlines()]


def parse(line: str) -> Jar:
    """One line `group:artifact:version[:classifier] sha256`."""
    coordinates, sha256 = line.split()
    group, artifact, version, *classifier = coordinates.split(":")
    return Jar(group, artifact, version, classifier[0] if classifier else "", sha256)


def local_repository() -> Path:
    """Maven's folder of downloads, shared by everything on this machine that uses Maven."""
    return Path(os.environ.get("M2_REPO") or Path.home() / ".m2" / "repository")


def fetch_with_jgo(jar: Jar, repository: Path) -> None:
    """Download one file into the repository.

    Raises:
        DevstackError: the repository does not have it, or cannot be reached.
    """
    from jgo.maven import MavenContext  # noqa: PLC0415 - 0.3 s that a start from caches saves

    project = MavenContext(repo_cache=repository).project(jar.group, jar.artifact)
    try:
        project.at_version(jar.version).artifact(jar.classifier).resolve()
    except (OSError, RuntimeError) as error:  # what requests raises are OSErrors
        raise DevstackError(f"could not fetch {jar.name} by its coordinates: {error}") from error


def class_path(
    jars: list[Jar], repository: Path, *, fetch: Callable[[Jar, Path], None] = fetch_with_jgo
) -> str:
    """The class path of the jars, downloading what is missing; blocks its thread.

    Two processes may ask at once: the second waits for the first.

    Raises:
        DevstackError: a file cannot be fetched, or is not what the list says.
    """
    if missing := _missing(jars, repository):
        with locked(repository / ".devstack.lock"):
            missing = _missing(missing, repository)
            with ThreadPoolExecutor(DOWNLOADS_AT_ONCE) as pool:
                list(pool.map(lambda jar: _replace(jar, repository, fetch), missing))
    return os.pathsep.join(str(jar.path(repository)) for jar in jars)


def _missing(jars: list[Jar], repository: Path) -> list[Jar]:
    return [jar for jar in jars if not _is_intact(jar, repository)]


def _is_intact(jar: Jar, repository: Path) -> bool:
    path = jar.path(repository)
    if not path.exists():
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == jar.sha256


def _replace(jar: Jar, repository: Path, fetch: Callable[[Jar, Path], None]) -> None:
    jar.path(repository).unlink(missing_ok=True)
    fetch(jar, repository)
    if not _is_intact(jar, repository):
        raise DevstackError(
            f"{jar.name} was fetched, but is not what the lock names; expected {jar.sha256}"
        )
