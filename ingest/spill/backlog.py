"""Pure: the segments that a process has to produce, in order of arrival."""

from collections.abc import Mapping

from ingest.spill.segment import SegmentName


class Backlog:
    """Names and sizes of segments; their content stays in the store."""

    def __init__(self) -> None:
        self._sizes: dict[SegmentName, int] = {}
        self.events = 0
        self.size_bytes = 0

    def __len__(self) -> int:
        return len(self._sizes)

    @property
    def oldest_ms(self) -> int | None:
        """When the first of them was written; None if there is none."""
        return next((name.at_ms for name in self._sizes), None)

    def append(self, name: SegmentName, size_bytes: int) -> None:
        """Add the newest."""
        self.discard(name)
        self._sizes[name] = size_bytes
        self.events += name.events
        self.size_bytes += size_bytes

    def merge(self, sizes: Mapping[SegmentName, int]) -> None:
        """Add the segments of a listing, of any age."""
        for name, size_bytes in sizes.items():
            self.append(name, size_bytes)
        self._sizes = dict(sorted(self._sizes.items()))

    def discard(self, name: SegmentName) -> None:
        """Remove a segment, if it is there."""
        size_bytes = self._sizes.pop(name, None)
        if size_bytes is not None:
            self.events -= name.events
            self.size_bytes -= size_bytes

    def first(self, *, count: int, size_bytes: int) -> list[SegmentName]:
        """Return the oldest within both bounds, but at least one if there is one."""
        names: list[SegmentName] = []
        for name, size in self._sizes.items():
            size_bytes -= size
            if len(names) == count or (names and size_bytes < 0):
                break
            names.append(name)
        return names
