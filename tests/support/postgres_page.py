"""The queries of docs/how-to/ask-postgres.md, each with the result that stands below it."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

_page: Final = Path(__file__).parents[2] / "docs" / "how-to" / "ask-postgres.md"

QUERIES: Final[Sequence[tuple[str, str]]] = re.findall(
    r"```sql\n(.*?);\n```\n\n```text\n(.*?)```", _page.read_text(), re.DOTALL
)
