"""Links between the pages of the project lead somewhere, and paths of code on them exist."""

import re
from pathlib import Path

root = Path(__file__).parents[2]
pages = sorted([*root.glob("*.md"), *(root / "docs").rglob("*.md")])
code_path = re.compile(
    r"`((?:benchmarks|deploy|devstack|docs|ingest|operations|processors|runtime|schemas|simulator|sinks"
    r"|tests|zoom)/(?:[\w.-]+/)*(?:[\w.-]+\.[a-z]+)?)(?:::\w+)?`"
)
made_up = {
    "deploy/kubernetes/base/answers.yaml",
    "processors/answers/",
    "schemas/topics/answers.yaml",
}
"""Paths of the processor that a reader writes by docs/how-to/add-a-processor.md."""

link = re.compile(r"\]\((?![a-z]+:)([^)\s#]*)(?:#([^)\s]+))?\)")


def anchors(page: Path) -> set[str]:
    """The anchors of a page: its headings as GitHub writes them, and those that it names."""
    text = page.read_text()
    headings = re.findall(
        r"^#+ (.+)$", re.sub(r"```.*?```", "", text, flags=re.DOTALL), re.MULTILINE
    )
    made = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
    return made | set(re.findall(r'<a id="([^"]+)">', text))


def broken(page: Path, text: str) -> list[str]:
    """Return the links of a page that lead to no file, or to no heading of it."""
    wrong = []
    for path, anchor in link.findall(re.sub(r"```.*?```", "", text, flags=re.DOTALL)):
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            wrong.append(f"{page.relative_to(root)}: {path}#{anchor}")
    return wrong


def test_every_link_leads_to_a_page_and_a_heading_that_exist() -> None:
    assert [each for page in pages for each in broken(page, page.read_text())] == []


def test_every_path_of_code_on_a_page_exists() -> None:
    named = {
        (page.relative_to(root).as_posix(), path)
        for page in pages
        if page.name != "CHANGELOG.md"  # it names what was there at the time
        for path in code_path.findall(page.read_text())
    }
    assert len(named) > 200
    missing = {(page, path) for page, path in named if not (root / path).exists()}
    assert {(page, path) for page, path in missing if path not in made_up} == set()


def test_a_broken_link_is_found() -> None:
    readme = root / "README.md"
    assert broken(readme, "[a](docs/none.md) [b](#nowhere) [c](docs/style.md#style)") == [
        "README.md: docs/none.md#",
        "README.md: #nowhere",
    ]
