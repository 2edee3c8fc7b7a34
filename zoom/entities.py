"""Pure: users and queues of the REST API, parsed once; unknown members are ignored.

The specification requires hardly any member of an answer: a missing or null one is "".
"""

from dataclasses import dataclass
from typing import Annotated

from pydantic import BeforeValidator, Field, model_validator


def _text_or_nothing(value: object) -> object:
    return "" if value is None else value


Text = Annotated[str, BeforeValidator(_text_or_nothing)]


@dataclass(frozen=True, slots=True)
class User:
    """A user of the contact center. Webhooks name its ``user_id``."""

    user_id: Annotated[str, Field(min_length=1)]
    display_name: Text = ""


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue. It has two ids of different value; ``queue_id`` is deprecated, but still sent."""

    cc_queue_id: Text = ""
    queue_id: Text = ""
    queue_name: Text = ""

    @model_validator(mode="after")
    def _has_an_id(self) -> "Queue":
        if not (self.cc_queue_id or self.queue_id):
            raise ValueError("a queue without an id")
        return self
