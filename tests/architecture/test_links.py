"""Links between the pages of the project lead somewhere."""

import re
from pathlib import Path

root = Path(__file__).parents[2]
pages = sorted([*root.glob("*.md"), *(root / "docs").rglob("*.md")])
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
    found = []
    for path, anchor in link.findall(re.sub(r"```.*?```", "", text, flags=re.DOTALL)):
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            found.append(f"{page.relative_to(root)}: {path}#{anchor}")
    return found


def test_every_link_leads_to_a_page_and_a_heading_that_exist() -> None:
    assert [each for page in pages for each in broken(page, page.read_text())] == []


def test_a_broken_link_is_found() -> None:
    readme = root / "README.md"
    assert broken(readme, "[a](docs/none.md) [b](#nowhere) [c](docs/style.md#style)") == [
        "README.md: docs/none.md#",
        "README.md: #nowhere",
    ]
