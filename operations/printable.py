"""Pure: text as a terminal may show it."""


def printable(text: str) -> str:
    """Return a text in which control characters are written out."""
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode() for each in text
    )
