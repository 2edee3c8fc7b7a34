"""One entity, asked for at Zoom."""

from typing import Any

import pytest

from processors.enrichment.zoom_source import ZoomSource
from schemas.reference_record import ReferenceKey, Snapshot
from tests.support.fakes.zoom import VirtualClock
from zoom.errors import ForbiddenError, UnavailableError, ZoomError, ZoomFault, error_of

KEY = ReferenceKey("a", "user", "U/1+")
NOW_MS = 1_767_225_600_000


class Api:
    """A `zoom.messages.Caller` that gives one answer, after some time."""

    def __init__(self, answer: object, clock: VirtualClock) -> None:
        self._answer = answer
        self._clock = clock
        self.calls: list[tuple[str, dict[str, object]]] = []

    async def call(self, operation: str, /, *, body: object = None, **arguments: object) -> Any:
        assert body is None
        self.calls.append((operation, arguments))
        await self._clock.sleep(3.0)
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer


class Bench:
    def __init__(self, answer: object) -> None:
        self.clock = VirtualClock()
        self.api = Api(answer, self.clock)
        self.published: list[Snapshot] = []
        self.source = ZoomSource(
            lambda account_id: self.api if account_id == "a" else None,
            answered=self.published.append,
            clock=self.clock,
        )


async def test_an_entity_holds_as_of_the_question_and_is_published() -> None:
    bench = Bench({"user_id": "U1", "display_name": "Ann", "status_id": "9", "role_id": None})
    answer = Snapshot(
        ReferenceKey("a", "user", "U1"), NOW_MS, {"user_id": "U1", "display_name": "Ann"}
    )
    assert await bench.source.get(KEY) == answer
    assert bench.published == [answer]
    assert bench.api.calls == [("get_user", {"user_id": "U/1+"})]


@pytest.mark.parametrize("fault", [ZoomFault.NOT_FOUND, ZoomFault.GONE, ZoomFault.REFUSED])
async def test_an_id_that_zoom_does_not_know_or_refuses_is_of_no_entity(fault: ZoomFault) -> None:
    bench = Bench(error_of(fault, "no"))
    assert await bench.source.get(KEY) is None
    assert bench.published == []


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (ZoomFault.OUTAGE, UnavailableError),
        (ZoomFault.RATE_LIMITED, UnavailableError),
        (ZoomFault.TIMEOUT, UnavailableError),
        (ZoomFault.MISSING_SCOPE, ForbiddenError),
        (ZoomFault.CREDENTIALS, ForbiddenError),
    ],
)
async def test_other_faults_say_that_nobody_knows(fault: ZoomFault, kind: type[ZoomError]) -> None:
    with pytest.raises(kind):
        await Bench(error_of(fault, "no")).source.get(KEY)


@pytest.mark.parametrize("document", [None, [], "text", {}, {"user_id": ""}, {"user_id": 1}])
async def test_an_answer_without_an_id_says_that_nobody_knows(document: object) -> None:
    bench = Bench(document)
    with pytest.raises(UnavailableError, match="unexpected"):
        await bench.source.get(KEY)
    assert bench.published == []


@pytest.mark.parametrize(
    "key",
    [
        KEY._replace(id="me"),
        KEY._replace(id=".."),
        KEY._replace(id="x" * 5000),
        KEY._replace(account_id="unknown"),
        KEY._replace(entity="storage_location"),
    ],
    ids=["me", "dots", "long", "no credentials", "no operation"],
)
async def test_what_cannot_be_looked_up_is_not(key: ReferenceKey) -> None:
    bench = Bench({"user_id": "U1"})
    assert await bench.source.get(key) is None
    assert bench.api.calls == []
