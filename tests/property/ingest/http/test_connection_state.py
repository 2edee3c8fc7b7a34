"""The rules of `ingest.http.connection_state`, whatever parser, applications and client do."""

from http import HTTPStatus
from math import inf, isfinite

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from ingest.http.connection_state import (
    ConnectionEvent,
    ConnectionState,
    ConnectionStep,
    Phase,
    max_pipelined,
    transitions,
    unfinished,
)
from ingest.http.limits import RequestBounds
from ingest.http.request_context import RequestContext
from ingest.http.responses import Refusal, Response

bounds = RequestBounds(64, 1024, 1024, 5.0, 5.0, 75.0)
last = frozenset({ConnectionStep.CLOSE, ConnectionStep.LINGER})


class Silent:
    """An application that leaves every answer to the test."""

    def on_headers(self, context: RequestContext) -> None: ...

    def on_body(self, context: RequestContext) -> None: ...

    def on_error(self, context: RequestContext, reason: Refusal) -> None: ...

    def on_response_written(self, context: RequestContext) -> None: ...


class AnyConnection(RuleBasedStateMachine):
    """Drives the machine in every order that a parser, a loop and applications can bring about."""

    def __init__(self) -> None:
        super().__init__()
        self.state = ConnectionState()
        self.requests: list[RequestContext] = []
        """All that were ever read, in order."""
        self.written: list[RequestContext] = []
        self.is_over = False
        """Whether the last response was written, or the connection was given up."""
        self.draining = False
        self.calm_requests = 0
        """So many requests come before anything but a response ends the connection."""

    @initialize(calm_requests=st.sampled_from([0, 1, 2, 4, 8]))
    def it_is_left_in_peace_for_a_while(self, calm_requests: int) -> None:
        self.calm_requests = calm_requests
        self.state.first_bytes()

    def is_troubled(self) -> bool:
        return len(self.requests) >= self.calm_requests

    def can_read(self) -> bool:
        return self.state.phase is not Phase.CLOSING

    @precondition(lambda self: self.state.phase in {Phase.IDLE, Phase.HEAD, Phase.CLOSING})
    @rule()
    def a_request_begins(self) -> None:
        may_begin = self.can_read()
        assert self.state.begin_request() is may_begin

    @precondition(lambda self: self.state.phase is Phase.HEAD)
    @rule(keep_alive=st.sampled_from([True, True, True, False]))
    def its_head_is_read(self, *, keep_alive: bool) -> None:
        request = self.new_request(keep_alive=keep_alive)
        self.state.head_read(request)
        assert self.state.reading is request

    @precondition(lambda self: self.is_troubled() and self.state.phase in {Phase.IDLE, Phase.HEAD})
    @rule()
    def what_came_can_never_be_a_request(self) -> None:
        request = self.new_request(keep_alive=False)
        self.state.unparsable(request)
        self.answer(request, closes=True)
        assert self.state.phase is Phase.CLOSING

    @rule()
    def the_parser_reports_the_end_of_a_request(self) -> None:
        reading = self.state.reading
        assert self.state.request_read() is reading
        if reading is not None:
            assert reading.is_read
            assert self.state.phase is Phase.IDLE

    @precondition(lambda self: any(each.response is None for each in self.state.requests))
    @rule(which=st.randoms(use_true_random=False), closes=st.sampled_from([False, False, True]))
    def an_application_answers(self, which: object, *, closes: bool) -> None:
        waiting = [each for each in self.state.requests if each.response is None]
        request = which.choice(waiting)  # type: ignore[attr-defined]  # a random.Random
        self.answer(request, closes=closes and not request.is_read)

    @precondition(lambda self: self.is_troubled() and self.state.phase in unfinished)
    @rule()
    def a_request_breaks_the_bounds(self) -> None:
        reading = self.state.reading
        if reading is None:
            self.what_came_can_never_be_a_request()
        elif reading.response is None:
            self.answer(reading, closes=True)
        else:
            reading.keep_alive = False
            self.state.end()
        assert self.state.phase is Phase.CLOSING

    @precondition(is_troubled)
    @rule()
    def the_client_ends_its_side(self) -> None:
        stays_open = self.state.on_end_of_input()
        assert stays_open == (bool(self.state.requests) and self.state.reading is None)

    @rule(is_stalled=st.booleans())
    def the_client_stops_or_goes_on_to_read(self, *, is_stalled: bool) -> None:
        self.state.is_stalled = is_stalled

    @precondition(is_troubled)
    @rule()
    def the_process_drains(self) -> None:
        self.draining = True

    @precondition(lambda self: self.is_troubled() and isfinite(bounds.timeout_s(self.state)))
    @rule(is_closing=st.booleans())
    def the_time_is_over(self, *, is_closing: bool) -> None:
        was_receiving = self.state.phase in unfinished
        step = self.state.on_timeout(is_closing=is_closing)
        if self.state.is_stalled or is_closing:
            assert step is ConnectionStep.ABORT
            self.the_client_is_lost()  # the loop reports the aborted connection as lost
        elif was_receiving:
            assert step is ConnectionStep.REFUSE
            self.a_request_breaks_the_bounds()
        else:
            assert step is ConnectionStep.CLOSE
            self.is_over = True
            assert self.state.phase is Phase.CLOSING

    @precondition(lambda self: self.is_troubled() and self.state.phase not in unfinished)
    @rule()
    def another_connection_needs_the_room(self) -> None:
        had_requests = bool(self.state.requests)
        step = self.state.on_displaced()
        assert (step is ConnectionStep.CONTINUE) is had_requests
        if not had_requests:
            assert step is (ConnectionStep.ABORT if self.state.is_stalled else ConnectionStep.CLOSE)
            assert self.state.phase is Phase.CLOSING

    @precondition(is_troubled)
    @rule()
    def the_client_is_lost(self) -> None:
        self.state.end()
        self.state.requests.clear()
        self.is_over = True

    def new_request(self, *, keep_alive: bool) -> RequestContext:
        request = RequestContext(
            *(b"POST", "/", b"", []),
            peer="",
            keep_alive=keep_alive,
            application=Silent(),
            answered=lambda: None,
        )
        self.requests.append(request)
        return request

    def answer(self, request: RequestContext, *, closes: bool) -> None:
        """Reply and write, as the driver does."""
        request.reply(Response(HTTPStatus.OK, closes=closes))
        was_read = self.state.reading is not request
        assert self.state.answered() is (closes and not was_read)
        while (taken := self.state.take_answered()) is not None:
            self.write(taken)

    def write(self, request: RequestContext) -> None:
        assert not self.is_over, "a response behind the last one"
        step = self.state.on_response(request, draining=self.draining)
        self.written.append(request)
        if step in last:
            assert (step is ConnectionStep.CLOSE) is request.is_read
            assert self.state.phase is Phase.CLOSING
            self.state.requests.clear()
            self.is_over = True
        elif step is ConnectionStep.REST:
            assert self.state.is_idle
        else:
            assert self.state.requests or self.state.phase in {*unfinished, Phase.CLOSING}

    @invariant()
    def responses_are_written_once_in_order_and_only_to_requests(self) -> None:
        assert self.written == self.requests[: len(self.written)]
        assert all(each.response is not None for each in self.written)

    @invariant()
    def no_response_is_left_unwritten_whose_turn_it_is(self) -> None:
        assert not self.state.requests or self.state.requests[0].response is None

    @invariant()
    def nothing_is_read_behind_the_last_response(self) -> None:
        if self.is_over:
            assert self.state.phase is Phase.CLOSING
            assert not self.state.requests
        if self.state.phase is Phase.CLOSING:
            assert self.state.reading is None

    @invariant()
    def a_request_is_being_read_exactly_in_the_phases_of_its_body(self) -> None:
        is_reading = self.state.phase in {Phase.BODY, Phase.DISCARD}
        assert (self.state.reading is not None) is is_reading
        if self.state.reading is not None:
            is_answered = self.state.reading.response is not None
            assert (self.state.phase is Phase.DISCARD) is is_answered
            assert self.state.reading is self.requests[-1]

    @invariant()
    def a_time_limit_runs_unless_the_application_has_one(self) -> None:
        if bounds.timeout_s(self.state) == inf:
            assert any(each.response is None for each in self.state.requests)

    @invariant()
    def a_client_that_does_not_read_or_asks_for_too_much_is_not_read_from(self) -> None:
        is_full = len(self.state.requests) >= max_pipelined
        assert self.state.may_read is not (self.state.is_stalled or is_full)


AnyConnection.TestCase.settings = settings(max_examples=100, stateful_step_count=50)
TestAnyConnection = AnyConnection.TestCase


@pytest.mark.parametrize("event", ConnectionEvent)
def test_no_event_leaves_closing_and_ended_always_leads_there(event: ConnectionEvent) -> None:
    assert transitions[event].get(Phase.CLOSING, Phase.CLOSING) is Phase.CLOSING
    if event is ConnectionEvent.ENDED:
        assert set(transitions[event]) == set(Phase)
        assert set(transitions[event].values()) == {Phase.CLOSING}


def test_every_phase_can_be_reached_and_left() -> None:
    reached = {after for by_phase in transitions.values() for after in by_phase.values()}
    left = {before for by_phase in transitions.values() for before in by_phase}
    assert reached == set(Phase) - {Phase.NEW}
    assert left == set(Phase)


def test_more_requests_than_allowed_under_way_hold_reading_back() -> None:
    state = ConnectionState()
    state.first_bytes()
    machine = AnyConnection()
    for number in range(max_pipelined):
        assert state.may_read, number
        state.begin_request()
        state.head_read(machine.new_request(keep_alive=True))
        state.request_read()
    assert not state.may_read
    state.requests[0].reply(Response(HTTPStatus.OK))
    assert state.take_answered() is not None
    assert state.may_read
