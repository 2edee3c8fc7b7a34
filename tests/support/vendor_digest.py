"""Whether the committed contract is current, on a clone without the vendor's documents too.

The documents stand in ``shared/zoom`` beside the project, where they are available at all. The
digest holds the SHA-256 of each document that tests read, of the code that generates, and of every
generated file, as they were when all tests passed with the documents there. Where they are absent
and the digest holds, such a test would find what it found then, so it passes without its body.

After a change of documents, of that code or of generated files, with the documents there:
`python -m tests.support.vendor_digest` writes the digest anew.
"""

import ast
import json
from collections.abc import Iterator, Mapping
from functools import cache
from hashlib import sha256
from pathlib import Path

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared" / "zoom"
DIGEST = ROOT / "tests" / "golden" / "vendor_digest.json"
REWRITE = "run: python -m tests.support.vendor_digest"

DOCUMENTS = (
    *("webhooks.openapi.json", "rest.openapi.json", "master.openapi.json"),
    *("events.json", "rest_ops.json", "errors.json"),
)
CODE = (
    *("schemas/catalogue.py", "schemas/generation", "schemas/models"),
    *("zoom/catalogue.py", "zoom/generation", "zoom/limits.py"),
)
"""What generates, and what the tests read what is generated with."""

HAND_WRITTEN_MODELS = {
    *("base", "enrichment", "event", "outcome", "reading", "reference", "registry"),
}
HAND_WRITTEN_EXAMPLES = {"enriched", "outcome", "reference"}

Digest = Mapping[str, Mapping[str, str]]


class HeldByDigest(BaseException):
    """There is no document to read, but nothing has changed since it was read."""


def webhook_files() -> Iterator[Path]:
    """The files that are generated from the webhooks' document."""
    for pattern in ("webhooks/*/*", "examples/*/*", "models/[!_]*.py"):
        for path in (ROOT / "schemas").glob(pattern):
            if (
                path.parent.name not in HAND_WRITTEN_EXAMPLES
                and path.stem not in HAND_WRITTEN_MODELS
            ):
                yield path


def rest_files() -> Iterator[Path]:
    """The files that are generated from the documents of the REST API."""
    yield ROOT / "zoom" / "operations.json"
    yield from (ROOT / "zoom").glob("schemas/*")
    yield from (ROOT / "zoom").glob("resources/**/*.py")


def vendor_file(name: str, *, folder: Path = SHARED) -> Path:
    """The document of that name.

    Raises:
        HeldByDigest: it is not there, and the digest holds.
        AssertionError: it is not there, and the digest does not hold.
    """
    assert name in DOCUMENTS, f"{name} is not in the digest"
    path = folder / name
    if not path.is_file():
        wrong = changed()
        assert wrong == [], f"no longer as checked against the vendor's documents: {wrong}"
        raise HeldByDigest(name)
    return path


@cache
def changed() -> list[str]:
    """What is not as the digest says, of what every clone has."""
    known = recorded()
    now = {"code": code(), "outputs": outputs()}
    return sorted(
        f"{kind}: {name}"
        for kind, digests in now.items()
        for name in digests.keys() | known[kind].keys()
        if digests.get(name) != known[kind].get(name)
    )


def recorded() -> Digest:
    digest: Digest = json.loads(DIGEST.read_text())
    return digest


def documents() -> Mapping[str, str]:
    return {name: _sha256((SHARED / name).read_bytes()) for name in DOCUMENTS}


def code() -> Mapping[str, str]:
    """Of each part the code alone: prose and layout generate nothing."""
    return {name: _sha256("".join(map(_code, _sources(ROOT / name))).encode()) for name in CODE}


def outputs() -> Mapping[str, str]:
    files = sorted(
        path for path in (*webhook_files(), *rest_files()) if "__pycache__" not in path.parts
    )
    return {str(path.relative_to(ROOT)): _sha256(path.read_bytes()) for path in files}


def _sources(place: Path) -> Iterator[str]:
    for path in [place] if place.is_file() else sorted(place.rglob("*.py")):
        yield path.read_text()


def _code(source: str) -> str:
    tree = ast.parse(source)
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and _is_prose(body[0]):
            del body[0]
    return ast.dump(tree)


def _is_prose(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def _sha256(content: bytes) -> str:
    return sha256(content).hexdigest()


def write() -> None:
    digest = {"documents": documents(), "code": code(), "outputs": outputs()}
    DIGEST.write_text(json.dumps(digest, indent=1) + "\n")


if __name__ == "__main__":
    write()
