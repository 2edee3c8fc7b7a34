import asyncio
import hashlib
import hmac
from collections.abc import Callable

import pytest
from aiohttp import web

from simulator.company import Company, make_company
from simulator.service import send, validate_endpoint
from simulator.webhooks.endpoint import EndpointInvalidError
from simulator.webhooks.ledger import LedgerWriter
from tests.support.patience import HANG_GUARD_S
from tests.support.simulator_receiver import (
    Receiver,
    is_signed,
    proof,
    secret,
    serving,
    simulator_settings,
    story_events,
)


@pytest.fixture(scope="module")
def company() -> Company:
    return make_company(1)


def _with_wrong_secret(token: str) -> web.Response:
    encrypted = hmac.new(b"other", token.encode(), hashlib.sha256).hexdigest()
    return web.json_response({"plainToken": token, "encryptedToken": encrypted})


def _with_another_token(_: str) -> web.Response:
    encrypted = hmac.new(secret.encode(), b"other", hashlib.sha256).hexdigest()
    return web.json_response({"plainToken": "other", "encryptedToken": encrypted})


async def test_an_endpoint_that_knows_the_secret_validates_on_demand() -> None:
    receiver = Receiver()
    async with serving(receiver) as url:
        await validate_endpoint(simulator_settings(url))
    [challenge] = receiver.challenges
    assert is_signed(challenge)


@pytest.mark.parametrize(
    ("reply", "complaint"),
    [
        (_with_wrong_secret, "same secret"),
        (_with_another_token, "plainToken"),
        (lambda token: web.json_response({"plainToken": token}), "encryptedToken"),
        (lambda _: web.json_response(["no object"]), "JSON object"),
        (lambda _: web.Response(text="no JSON"), "JSON object"),
        (lambda _: web.Response(status=204), "got 204"),
        (lambda _: web.Response(status=401), "got 401"),
        (lambda _: web.Response(status=503), "got 503"),
    ],
)
async def test_an_endpoint_that_answers_anything_else_does_not(
    reply: Callable[[str], web.Response], complaint: str
) -> None:
    receiver = Receiver(challenge_reply=reply)
    async with serving(receiver) as url:
        with pytest.raises(EndpointInvalidError, match=complaint):
            await validate_endpoint(simulator_settings(url))


async def test_an_endpoint_that_is_not_there_does_not_validate(unused_tcp_port: int) -> None:
    settings = simulator_settings(f"http://127.0.0.1:{unused_tcp_port}/webhooks/zoom")
    with pytest.raises(EndpointInvalidError, match="network_error"):
        await validate_endpoint(settings)


async def test_nothing_is_sent_before_the_endpoint_has_validated(company: Company) -> None:
    receiver = Receiver(challenge_reply=_with_wrong_secret)
    async with serving(receiver) as url:
        with LedgerWriter() as ledger, pytest.raises(EndpointInvalidError):
            await send(simulator_settings(url), company, iter(story_events(3)), ledger)
    assert receiver.received == []
    assert ledger.totals.events == 0


async def test_an_endpoint_that_is_still_starting_is_called_again(company: Company) -> None:
    replies = iter([web.Response(status=503)])
    receiver = Receiver(challenge_reply=lambda token: next(replies, None) or proof(token))
    async with serving(receiver) as url:
        with LedgerWriter() as ledger:
            settings = simulator_settings(url, endpoint_wait_s=20.0)
            totals = await send(settings, company, iter(story_events(3)), ledger)
    assert len(receiver.challenges) == 2
    assert totals.accepted == 3


async def test_the_endpoint_is_validated_again_every_72_hours_even_after_a_failure(
    company: Company,
) -> None:
    statuses = iter([200, 401])
    receiver = Receiver(
        challenge_reply=lambda token: (
            proof(token) if next(statuses, 200) == 200 else web.Response(status=401)
        ),
        hold=asyncio.Event(),
    )
    async with serving(receiver) as url:
        with LedgerWriter() as ledger:
            settings = simulator_settings(url, time_scale=5_000_000.0, answer_limit_s=30.0)
            async with asyncio.timeout(HANG_GUARD_S), asyncio.TaskGroup() as group:
                sending = group.create_task(send(settings, company, iter(story_events(1)), ledger))
                await receiver.until_received(challenges=4)
                receiver.hold.set()
    assert sending.result().accepted == 1
    tokens = {challenge.body for challenge in receiver.challenges}
    assert len(tokens) == len(receiver.challenges)
