"""Pure: which log a committed position belongs to.

A recreated topic keeps its name and gets another id. A position means nothing in another log, so
its topic's id is committed with it: ``@`` and the id, after the metadata.

The id comes last, so that an older release does not misread it: that release ignores an offset map
with an id and refuses a plan with one.
"""

import re
from collections.abc import Mapping
from typing import Final

from runtime.ports import Position
from runtime.values import TopicPartition

topic_id_characters: Final = 23
"""Characters of an id in the metadata of a commit, ``@`` included."""

_suffix: Final = re.compile(r"@([A-Za-z0-9_-]{22})\Z")


def with_topic_id(position: Position, topic_id: str) -> Position:
    """Return the commit of a position in the log of this id; "" adds nothing."""
    return position._replace(metadata=f"{position.metadata}@{topic_id}") if topic_id else position


def split_topic_id(committed: Position) -> tuple[Position, str]:
    """Return a position as it was before `with_topic_id`, and the id; "" where it has none."""
    match = _suffix.search(committed.metadata)
    if match is None:
        return committed, ""
    return committed._replace(metadata=committed.metadata[: match.start()]), match[1]


def of_these_logs(
    committed: Mapping[TopicPartition, Position | None], topic_ids: Mapping[str, str]
) -> Mapping[TopicPartition, Position | None]:
    """Return the commits in these logs, without the ids; None for a position of another log.

    A position without an id, or of a topic with an unknown id, counts.
    """
    own: dict[TopicPartition, Position | None] = {}
    for source, committed_position in committed.items():
        own[source] = None
        if committed_position is not None:
            position, topic_id = split_topic_id(committed_position)
            if not differs(topic_id, topic_ids.get(source.topic, "")):
                own[source] = position
    return own


def differs(topic_id: str, other: str) -> bool:
    """Return whether these ids name two logs; an unknown id ("") may be any."""
    return bool(topic_id and other) and topic_id != other
