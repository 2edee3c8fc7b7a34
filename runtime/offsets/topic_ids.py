"""Pure: which log a committed position belongs to.

A topic that is deleted and made anew keeps its name and gets another id. A position means nothing
in another log, so the id of its topic is committed with it: ``@`` and the id, behind the metadata.

The id stands behind, so that an older release does not misread what it finds: it ignores an offset
map with an id and refuses a plan with one.
"""

import re
from collections.abc import Mapping
from typing import Final

from runtime.ports import Position
from runtime.values import TopicPartition

topic_id_characters: Final = 23
"""What an id takes of the metadata of a commit, ``@`` included."""

_suffix: Final = re.compile(r"@([A-Za-z0-9_-]{22})\Z")


def with_topic_id(position: Position, topic_id: str) -> Position:
    """Return what to commit for a position in the log of this id; "" adds nothing."""
    return position._replace(metadata=f"{position.metadata}@{topic_id}") if topic_id else position


def split_topic_id(committed: Position) -> tuple[Position, str]:
    """Return a position as it was before `with_topic_id`, and the id; "" where there is none."""
    found = _suffix.search(committed.metadata)
    if found is None:
        return committed, ""
    return committed._replace(metadata=committed.metadata[: found.start()]), found[1]


def of_these_logs(
    committed: Mapping[TopicPartition, Position | None], topic_ids: Mapping[str, str]
) -> Mapping[TopicPartition, Position | None]:
    """Return what was committed in these logs, without the ids; None for a position of another log.

    A position without an id, or of a topic whose id is not known, counts.
    """
    found: dict[TopicPartition, Position | None] = {}
    for source, committed_position in committed.items():
        found[source] = None
        if committed_position is not None:
            position, topic_id = split_topic_id(committed_position)
            if not differs(topic_id, topic_ids.get(source.topic, "")):
                found[source] = position
    return found


def differs(topic_id: str, other: str) -> bool:
    """Return whether these are the ids of two logs; an unknown one ("") may be any."""
    return bool(topic_id and other) and topic_id != other
