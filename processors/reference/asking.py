"""Asks Zoom about entities, and says which of the answers are news.

Each answer holds as of when it was asked for, before the call: whatever webhooks and others say
meanwhile is newer. A call may wait for the budget; what happens during that counts as newer too.
"""

from collections.abc import Mapping
from contextlib import aclosing
from typing import Final, cast

from processors.entities.kind import Kind, ListDivision, UnidentifiedError, project
from processors.reference.metrics import metrics
from processors.reference.news import Account, epoch_ms
from runtime.clock import Clock
from schemas.envelope import JsonObject
from schemas.reference_record import Snapshot
from zoom.catalogue import find
from zoom.errors import AbsentError, RefusedError, ZoomFault
from zoom.messages import Caller
from zoom.requests.paging import items, page_at

app_faults: Final = frozenset({ZoomFault.CREDENTIALS, ZoomFault.TOKEN_REFUSED})
"""They concern all entities: nothing can be asked until an operator acts."""

most_lookups: Final = 20
"""Of one page: it must end within minutes, and a page that fails begins again."""


class Asking:
    """The questions about one account's entities; a page has ``lookups_per_page`` at most."""

    def __init__(
        self,
        caller: Caller,
        account: Account,
        clock: Clock,
        *,
        lookups_per_page: int = most_lookups,
    ) -> None:
        self.account = account
        self.lookups_per_page = lookups_per_page
        self._caller = caller
        self._clock = clock

    async def page(
        self, kind: Kind, part: str, token: str
    ) -> tuple[list[str], str, list[Snapshot]]:
        """Return the ids on a page of a list, the token of the next page, and the news.

        Raises:
            ZoomError: as `zoom.requests.paging.page_at` raises, or a lookup of an item.
        """
        operation, as_of = find(kind.list_operation), self._clock.now()
        arguments: dict[str, object] = (
            {} if kind.division is None else {kind.division.parameter: part}
        )
        if operation.paging is not None and operation.paging.size_max is not None:
            largest = operation.paging.size_max
            arguments["page_size"] = self.lookups_per_page if kind.detail else largest
        documents, following = await page_at(self._caller, operation, arguments, token=token)
        ids: list[str] = []
        news: list[Snapshot] = []
        for document in documents:
            try:
                id_, state = project(kind, _members(document))
            except UnidentifiedError:
                metrics.unidentified.labels(kind.entity).inc()
                continue
            ids.append(id_)
            if kind.detail:
                snapshot = await self.lookup(kind, id_)
            else:
                snapshot = self.account.news(kind, id_, state, as_of)
            metrics.compared.labels(kind.entity, "same" if snapshot is None else "news").inc()
            news += [] if snapshot is None else [snapshot]
        return ids, following, news

    async def lookup(
        self, kind: Kind, id_: str, *, caller: Caller | None = None
    ) -> Snapshot | None:
        """Look an entity up, and return the news: its state, or that it is gone; None without any.

        ``caller`` replaces the usual one. An id that Zoom refuses is no news.

        Raises:
            UnavailableError: the answer is unknown.
            ForbiddenError: the app may not read it.
        """
        operation, as_of = find(kind.get_operation or ""), self._clock.now()
        argument = operation.parameters[0].argument
        try:
            document = await (caller or self._caller).call(operation.name, **{argument: id_})
            own_id, state = project(kind, _members(document))
        except AbsentError:
            return self.account.gone(kind, id_, epoch_ms(as_of))
        except RefusedError:
            return None
        except UnidentifiedError:
            metrics.unidentified.labels(kind.entity).inc()
            return None
        return self.account.news(kind, own_id, state, as_of)

    async def part_after(self, division: ListDivision, after: str | None) -> str | None:
        """Return the next part of a divided list, in the order of their names; None at the end.

        Raises:
            ZoomError: as a list raises.
        """
        parts = set(division.values) or await self._parts(division)
        return min((part for part in parts if after is None or part > after), default=None)

    async def _parts(self, division: ListDivision) -> set[str]:
        arguments: list[Mapping[str, object]] = [{}]
        if division.division is not None:
            outer = await self._parts(division.division)
            arguments = [{division.division.parameter: part} for part in sorted(outer)]
        parts: set[str] = set()
        for each in arguments:
            listed = items(self._caller, find(division.operation), each, clock=self._clock)
            async with aclosing(listed) as documents:
                async for document in documents:
                    part = _members(document).get(division.member)
                    if isinstance(part, str) and part:
                        parts.add(part)
        return parts


def _members(document: object) -> JsonObject:
    return cast("JsonObject", document) if isinstance(document, dict) else {}
