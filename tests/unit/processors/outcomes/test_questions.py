"""What each answer and each error of Zoom's means for an outcome."""

import pytest
import structlog
from prometheus_client import REGISTRY

from processors.outcomes.parts import Part, Reason, nothing_there
from processors.outcomes.questions import Answer, Answers, Questions, outcomes
from schemas.generation.data_class import DataClass
from tests.support.engagement_api import ANOTHER, DETAILS, ENGAGEMENT, EngagementApi
from tests.support.fakes.zoom import reply
from zoom.errors import UnavailableError, ZoomFault, error_of
from zoom.messages import ApiResponse

NOBODY: frozenset[DataClass] = frozenset({"none", "pseudonymous"})
OTHERS = (Part.TIMELINE, Part.NOTES, Part.SURVEY, Part.RECORDINGS)


class OneRow:
    """A dataset with one answer for all."""

    def __init__(self, answer: Answer = Reason.NOT_READY) -> None:
        self.answer = answer

    def row(self, engagement_id: str) -> Answer:
        return self.answer


def questions_of(api: EngagementApi, dataset: OneRow | None = None) -> Questions:
    return Questions(api.client, dataset or OneRow(), allowed=NOBODY, clock=api.clock)


async def ask(
    api: EngagementApi, *parts: Part, since_s: float = 0.0, dataset: OneRow | None = None
) -> Answers:
    questions = questions_of(api, dataset)
    ended_at = api.clock.now()
    api.clock.elapsed_s += since_s
    return await questions.ask(parts, ENGAGEMENT, ended_at=ended_at)


async def one(part: Part, answer: ApiResponse | Exception, **how: float) -> object:
    """The answer about one part, or the error for which the attempt waits."""
    api = EngagementApi()
    api.answers[part] = answer
    answers = await ask(api, part, **how)
    return answers.waits or answers.parts[part]


async def test_all_parts_are_requested_at_once_and_read() -> None:
    api = EngagementApi()
    exact = {"durations": {"hold_ms": 7}}
    answers = await ask(api, *Part, dataset=OneRow(exact))
    assert set(api.calls) == set(Part) - {Part.DATASET}
    assert answers.waits is None
    assert answers.parts == {
        Part.DETAILS: {
            "end_time": "2026-01-01T00:00:00.000Z",
            "channels": [{"channel": "voice"}],
            "durations": {"talking_ms": 5_000},
        },
        Part.DATASET: exact,
        Part.TIMELINE: {"timeline": [{"event_name": "answered"}]},
        Part.NOTES: {"notes": [{"note_id": "N1"}]},
        Part.SURVEY: {
            "survey": {
                "answered": True,
                "survey_id": "S1",
                "results": [{"question_id": "q1"}],
            }
        },
        Part.RECORDINGS: {"recordings": [{"recording_id": "R1"}]},
    }


@pytest.mark.parametrize("answer", [reply(200, {}), reply(200), reply(404, {"code": 2901})])
async def test_details_that_are_not_there_yet_are_not_ready(answer: ApiResponse) -> None:
    """An empty object, an empty body, and within the first minute: not found."""
    assert await one(Part.DETAILS, answer) is Reason.NOT_READY


async def test_an_engagement_that_is_unknown_after_a_minute_is_absent() -> None:
    answer = reply(404, {"code": 2901})
    assert await one(Part.DETAILS, answer, since_s=61.0) is Reason.ABSENT


async def test_an_id_that_zoom_refuses_is_absent() -> None:
    assert await one(Part.DETAILS, reply(400, {"code": 300})) is Reason.ABSENT


@pytest.mark.parametrize("part", [Part.DETAILS, *OTHERS])
@pytest.mark.parametrize(
    "answer",
    [reply(403, {"code": 9001}), reply(401, {"code": 124}), reply(403, {"code": 104})],
    ids=["role", "token", "scope"],
)
async def test_what_the_app_may_not_read_is_forbidden(part: Part, answer: ApiResponse) -> None:
    assert await one(part, answer) is Reason.FORBIDDEN


@pytest.mark.parametrize(
    "answer",
    [
        reply(503),
        error_of(ZoomFault.TIMEOUT, "x"),
        error_of(ZoomFault.NETWORK, "x"),
        reply(200, [1]),
    ],
    ids=["outage", "timeout", "network", "no document"],
)
async def test_in_an_outage_the_attempt_waits_for_the_details_and_not_for_a_part(
    answer: ApiResponse | Exception,
) -> None:
    error = await one(Part.DETAILS, answer)
    assert isinstance(error, Exception)
    for part in OTHERS:
        assert await one(part, answer) is Reason.UNAVAILABLE


async def details_of(questions: Questions, api: EngagementApi, engagement_id: str) -> object:
    api.clock.elapsed_s += 1
    answers = await questions.ask([Part.DETAILS], engagement_id, ended_at=api.clock.now())
    return answers.waits or answers.parts[Part.DETAILS]


async def test_an_engagement_that_fails_alone_is_unavailable_and_holds_up_no_other() -> None:
    api = EngagementApi()
    api.answers[Part.DETAILS] = reply(503)
    questions = questions_of(api)
    assert await details_of(questions, api, ANOTHER) is Reason.NOT_READY
    for _ in range(2):
        assert isinstance(await details_of(questions, api, ENGAGEMENT), UnavailableError)
    assert await details_of(questions, api, ANOTHER) is Reason.NOT_READY
    assert await details_of(questions, api, ENGAGEMENT) is Reason.UNAVAILABLE
    api.answers[Part.DETAILS] = reply(200, DETAILS)
    assert isinstance(await details_of(questions, api, ENGAGEMENT), dict)
    api.answers[Part.DETAILS] = reply(503)
    assert isinstance(await details_of(questions, api, ENGAGEMENT), UnavailableError), "anew"


async def test_an_engagement_over_the_limit_waits_however_others_fare() -> None:
    api = EngagementApi()
    questions = questions_of(api)
    for _ in range(2):
        api.answers[Part.DETAILS] = reply(429, {"code": 4001})
        assert isinstance(await details_of(questions, api, ENGAGEMENT), UnavailableError)
        api.clock.elapsed_s += 60
        await details_of(questions, api, ANOTHER)


@pytest.mark.parametrize("part", [Part.DETAILS, *OTHERS])
async def test_a_limit_lets_the_attempt_wait_as_long_as_zoom_says(part: Part) -> None:
    limited = reply(429, {"code": 4001}, retry_after="7")
    error = await one(part, limited)
    assert getattr(error, "fault", None) is ZoomFault.RATE_LIMITED
    assert getattr(error, "retry_after_s", None) == 7.0


async def test_a_spent_budget_lets_the_attempt_wait_and_keeps_what_came() -> None:
    api = EngagementApi(calls_per_second={"MEDIUM": 1}, budget_wait_s=0.01)
    answers = await ask(api, Part.SURVEY, Part.NOTES, Part.RECORDINGS)
    assert answers.waits is not None
    assert answers.waits.fault is ZoomFault.OVER_BUDGET
    assert len(answers.parts) == 2
    assert Part.SURVEY in answers.parts


@pytest.mark.parametrize("answer", [reply(444, {"code": 444}), reply(404, {"code": 404})])
async def test_a_survey_without_an_answer_is_an_answer(answer: ApiResponse) -> None:
    assert await one(Part.SURVEY, answer) == {"survey": {"answered": False}}


async def test_a_part_that_zoom_knows_nothing_of_is_empty() -> None:
    assert await one(Part.RECORDINGS, reply(404, {"code": 2805})) == {"recordings": []}
    assert await one(Part.NOTES, reply(404, {"code": 2901})) == {"notes": []}
    assert await one(Part.SURVEY, reply(404, {"code": 2901})) == nothing_there[Part.SURVEY]


async def test_a_timeline_that_is_absent_is_not_ready_since_the_details_are_there() -> None:
    assert await one(Part.TIMELINE, reply(404, {"code": 2901})) is Reason.NOT_READY


async def test_a_channel_without_a_timeline_has_an_empty_one() -> None:
    assert await one(Part.TIMELINE, reply(400, {"code": 7001})) == {"timeline": []}


@pytest.mark.parametrize("part", [Part.NOTES, Part.SURVEY, Part.RECORDINGS])
async def test_a_refused_question_about_a_part_is_unavailable(part: Part) -> None:
    assert await one(part, reply(400, {"code": 300})) is Reason.UNAVAILABLE


async def test_an_empty_answer_about_a_part_is_not_ready() -> None:
    for part in OTHERS:
        assert await one(part, reply(200)) is Reason.NOT_READY


async def test_lists_are_requested_in_one_page_of_one_hundred() -> None:
    api = EngagementApi()
    await ask(api, *OTHERS)
    queries = {request.url.partition("?")[2] for request in api.requests}
    assert queries == {"", "page_size=100"}


async def test_a_forbidden_part_is_logged_once() -> None:
    api = EngagementApi()
    api.answers[Part.NOTES] = reply(403, {"code": 9001})
    questions = questions_of(api)
    with structlog.testing.capture_logs() as logs:
        for _ in range(3):
            await questions.ask([Part.NOTES], ENGAGEMENT, ended_at=api.clock.now())
    warnings = [log for log in logs if log["event"] == "zoom forbids a part of outcomes"]
    assert [log["part"] for log in warnings] == ["notes"]


async def test_answers_are_counted_by_part_and_outcome() -> None:
    def count(part: Part, outcome: str) -> float:
        labels = {"part": part.value, "outcome": outcome}
        return REGISTRY.get_sample_value("zcc_outcomes_lookups_total", labels) or 0.0

    before = count(Part.NOTES, "found"), count(Part.DATASET, "not_ready")
    await ask(EngagementApi(), Part.NOTES, Part.DATASET)
    after = count(Part.NOTES, "found"), count(Part.DATASET, "not_ready")
    assert [b - a for a, b in zip(before, after, strict=True)] == [1, 1]
    assert len(outcomes(list(Part))) == 6 * 6
