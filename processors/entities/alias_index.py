"""Pure: other ids of entities, and the ids that they belong to."""

from collections.abc import Sequence


class AliasIndex:
    """Aliases to ids. Most aliases have one id; several entities may claim the same alias."""

    def __init__(self) -> None:
        self._ids: dict[str, str | tuple[str, ...]] = {}  # a tuple per alias would be too much

    def ids(self, alias: str) -> Sequence[str]:
        """Return the ids that have this alias."""
        ids = self._ids.get(alias, ())
        return (ids,) if isinstance(ids, str) else ids

    def add(self, alias: str, id_: str) -> None:
        """Add an alias of an id."""
        self._put(alias, (*(each for each in self.ids(alias) if each != id_), id_))

    def remove(self, alias: str, id_: str) -> None:
        """Remove an alias of an id, where it has it."""
        self._put(alias, tuple(each for each in self.ids(alias) if each != id_))

    def _put(self, alias: str, ids: tuple[str, ...]) -> None:
        match ids:
            case ():
                self._ids.pop(alias, None)
            case (id_,):
                self._ids[alias] = id_
            case _:
                self._ids[alias] = ids
