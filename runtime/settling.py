"""Settles one record for a Worker: handled, and all that follows from it acknowledged."""

from collections.abc import Sequence
from functools import partial

from runtime import telemetry
from runtime.contracts import Handler
from runtime.dead_letters import DeadLetterGuard
from runtime.insistence import GivenUpError, insist
from runtime.membership import Surroundings, Vitals
from runtime.set_aside import set_aside
from runtime.values import Delivery, Record


class Settler:
    """Calls the handler and publishes what it returns; failures are retried where they happen.

    A record that was handled is not handled again because the broker did not acknowledge.
    """

    def __init__(
        self, handler: Handler, around: Surroundings, guard: DeadLetterGuard, vitals: Vitals
    ) -> None:
        self._handler = handler
        self._around = around
        self._guard = guard
        self._vitals = vitals
        self._policy = around.policy
        self._pause = around.clock.sleep
        self._produced = telemetry.worker.produced.labels(around.name)
        self._handling_failed = partial(around.failed, "handle")
        self._publishing_failed = partial(around.failed, "publish")

    async def settle(self, delivery: Delivery) -> None:
        """Return once the record may count as done.

        Raises:
            ConfigurationError: the operator has to act first.
        """
        try:
            records = await insist(
                partial(self._handle, delivery),
                policy=self._policy,
                pause=self._pause,
                failed=self._handling_failed,
            )
            for record in records:  # one after the other: their order within a key is kept
                await insist(
                    partial(self._around.publisher.publish, record),
                    policy=self._policy,
                    pause=self._pause,
                    failed=self._publishing_failed,
                )
        except GivenUpError as given_up:
            await set_aside(
                delivery,
                given_up.verdict,
                attempts=given_up.attempts,
                around=self._around,
                guard=self._guard,
                pause=self._pause,
            )
        else:
            self._produced.inc(len(records))

    async def _handle(self, delivery: Delivery) -> Sequence[Record]:
        call = self._vitals.entered()
        try:
            return await self._handler(delivery)
        finally:
            self._vitals.left(call)
