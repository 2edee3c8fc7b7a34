"""The files of all pure modules, comma-separated: `coverage report --include` takes them so."""

import tomllib
from pathlib import Path


def files() -> list[str]:
    """Return paths relative to the top of the tree, from the import contract."""
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())
    contract = next(
        contract
        for contract in project["tool"]["importlinter"]["contracts"]
        if contract["name"].startswith("Pure modules")
    )
    return [f"{name.replace('.', '/')}*.py" for name in contract["source_modules"]]


if __name__ == "__main__":
    print(",".join(files()))  # noqa: T201 - the answer
