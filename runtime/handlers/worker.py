"""Runs a Handler: in order within a key, concurrently across keys, each record at least once.

A worker is a member of its group, one membership after the other; `session` says what one does.
With retry topics it is a member of a second group as well. Both share the processor of records, and
so the guard of dead letters and the blocked keys.
"""

import asyncio
from functools import partial

from runtime.contracts import Handler
from runtime.handlers.delayed_consumer import Delayed
from runtime.handlers.record_processor import RecordProcessor
from runtime.handlers.session import Session
from runtime.retries.retry_topics import RetryTopics
from runtime.worker.liveness import Liveness
from runtime.worker.membership import WorkerContext, keep_membership, task_group


class Worker:
    """Runs one handler as a member of its group, one membership after the other.

    With retry topics it is a member of a second group, which reads those ``delayed``.
    """

    def __init__(
        self, handler: Handler, context: WorkerContext, delayed: Delayed | None = None
    ) -> None:
        self._context = context
        self._contexts = [context] if delayed is None else [context, delayed.context]
        self._livenesses = [Liveness(each.clock, each.steps) for each in self._contexts]
        delays = RetryTopics() if delayed is None else delayed.delays
        self._processor = RecordProcessor(handler, context, self._livenesses[0], delays)

    def liveness_problem(self) -> str | None:
        """Return why the process should be killed: a loop or a call of the handler is stuck."""
        return next(
            filter(None, (liveness.liveness_problem() for liveness in self._livenesses)), None
        )

    def readiness_problem(self) -> str | None:
        """Return what is missing: partitions, or brokers that acknowledge."""
        if not self._context.publisher.ready:
            return "waits for brokers that acknowledge"
        return next(
            filter(None, (liveness.readiness_problem() for liveness in self._livenesses)), None
        )

    def remarks(self) -> str | None:
        """Return what an operator should know of a ready worker: its paused partitions."""
        lines = [remarks for liveness in self._livenesses if (remarks := liveness.remarks())]
        return "\n".join(lines) or None

    async def run(self, stopping: asyncio.Event) -> None:
        """Work until ``stopping`` is set, then drain.

        An error that only an operator can repair halts the work; the worker tries again at
        intervals.

        Raises:
            ConfigurationError: the worker had halted when it was stopped.
            RestartNeededError: only a restart may continue; undone records stay uncommitted.
        """
        async with task_group() as tasks:
            ends = [
                tasks.create_task(
                    keep_membership(
                        context,
                        partial(Session, self._processor, context, liveness),
                        liveness=liveness,
                        stopping=stopping,
                    )
                )
                for context, liveness in zip(self._contexts, self._livenesses, strict=True)
            ]
        for halted_by in [end.result() for end in ends]:
            if halted_by is not None:
                raise halted_by
