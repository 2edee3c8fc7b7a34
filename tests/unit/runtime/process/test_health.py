"""Health over HTTP, requested as a probe does."""

import asyncio
import socket

import pytest

from runtime.errors import ConfigurationError
from runtime.metrics import worker
from runtime.process.health import serving_health
from tests.support.patience import HANG_GUARD_S


def well() -> None:
    """Nothing is wrong."""


async def ask(port: int, request: str) -> tuple[int, dict[str, str], str]:
    """Send a request and return status, headers and body."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"{request} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".encode())
    async with asyncio.timeout(HANG_GUARD_S):
        answer = (await reader.read()).decode()
    writer.close()
    await writer.wait_closed()
    head, _, body = answer.partition("\r\n\r\n")
    status, *lines = head.split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines)
    return int(status.split()[1]), headers, body


async def test_a_process_that_is_well_answers_200() -> None:
    async with serving_health("127.0.0.1", 0, alive=well, ready=well) as port:
        for path in ("/healthz", "/readyz"):
            assert (await ask(port, f"GET {path}"))[0] == 200


async def test_a_reason_is_answered_with_503_and_each_check_has_its_own_path() -> None:
    async with serving_health(
        "127.0.0.1", 0, alive=lambda: "the loop stands still", ready=lambda: "draining"
    ) as port:
        assert (await ask(port, "GET /healthz"))[::2] == (503, "the loop stands still\n")
        assert (await ask(port, "GET /readyz"))[::2] == (503, "draining\n")


async def test_checks_are_made_at_each_request() -> None:
    reasons = ["starting"]
    async with serving_health(
        "127.0.0.1", 0, alive=well, ready=lambda: reasons[0] if reasons else None
    ) as port:
        assert (await ask(port, "GET /readyz"))[0] == 503
        reasons.clear()
        assert (await ask(port, "GET /readyz"))[0] == 200


async def test_metrics_are_served_in_the_format_of_prometheus() -> None:
    worker.in_flight.labels("served")
    async with serving_health("127.0.0.1", 0, alive=well, ready=lambda: "no") as port:
        status, headers, body = await ask(port, "GET /metrics")
    assert status == 200
    assert headers["content-type"].startswith("text/plain; version=0.0.4")
    assert 'zcc_worker_in_flight_records{worker="served"}' in body


async def test_other_paths_and_methods_are_refused_and_head_has_no_body() -> None:
    async with serving_health("127.0.0.1", 0, alive=well, ready=well) as port:
        assert (await ask(port, "GET /"))[0] == 404
        assert (await ask(port, "POST /healthz"))[0] == 405
        status, headers, body = await ask(port, "HEAD /healthz")
    assert (status, headers["content-length"], body) == (200, "3", "")


async def test_an_address_in_use_is_the_operators_fault() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigurationError, match="ZCC_WORKER_HEALTH_PORT"):
            async with serving_health("127.0.0.1", port, alive=well, ready=well):
                pass


async def test_an_error_of_the_block_comes_out_as_it_is_and_the_port_is_free_again() -> None:
    with pytest.raises(ValueError, match="of the block"):
        async with serving_health("127.0.0.1", 0, alive=well, ready=well) as port:
            raise ValueError("of the block")
    with socket.create_server(("127.0.0.1", port)):
        pass
