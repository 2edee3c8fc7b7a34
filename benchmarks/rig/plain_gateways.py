"""Other ways to put webhooks on Kafka, which ingest is compared with.

`bare` only produces, with the same server and the same publisher as ingest: what it is faster by is
the cost of our checks. `plain` is what one would write in an hour with FastAPI and aiokafka.
"""

import argparse
import hashlib
import hmac
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import cycle
from typing import Any

import uvicorn
import uvloop
from aiokafka import AIOKafkaProducer
from fastapi import FastAPI, Request, Response

from runtime.clock import SystemClock
from runtime.kafka import KafkaPublisher
from runtime.settings import KafkaSettings
from runtime.values import Record

path = "/hook"

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, object]], Awaitable[None]]


def main() -> None:
    """Serve one of the two; the servers are set up as that of ingest."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("gateway", choices=("bare", "plain"))
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--topic", required=True)
    arguments = parser.parse_args()
    if arguments.gateway == "bare":
        uvloop.run(serve_bare(arguments.topic, arguments.port))
    else:
        uvloop.run(_server(plain(arguments.topic), arguments.port, lifespan="on").serve())


async def serve_bare(topic: str, port: int) -> None:
    """Answer 204 to whatever has come to be on the topic. The keys are spread, not read."""
    keys = cycle([b"%d" % number for number in range(997)])
    async with KafkaPublisher(
        KafkaSettings(), client_id="benchmark-bare", clock=SystemClock()
    ) as publisher:

        async def app(_: object, receive: Receive, send: Send) -> None:
            body = b""
            more = True
            while more:
                message = await receive()
                body += message.get("body", b"")
                more = message.get("more_body", False)
            await publisher.publish(Record(topic=topic, key=next(keys), value=body, headers=()))
            await send({"type": "http.response.start", "status": 204, "headers": []})
            await send({"type": "http.response.body", "body": b""})

        await _server(app, port, lifespan="off").serve()


def plain(topic: str) -> FastAPI:
    """Return the application of a tutorial, with the checks that Zoom's documents ask for."""
    secret = os.environ["BENCHMARK_SECRET"].encode()
    kafka = KafkaSettings()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.producer = AIOKafkaProducer(
            bootstrap_servers=kafka.bootstrap_servers, acks="all", enable_idempotence=True
        )
        async with app.state.producer:
            yield

    app = FastAPI(lifespan=lifespan)

    @app.post(path)
    async def hook(request: Request) -> Response:
        body = await request.body()
        timestamp = request.headers.get("x-zm-request-timestamp", "")
        message = b"v0:" + timestamp.encode() + b":" + body
        wanted = "v0=" + hmac.new(secret, message, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(wanted, request.headers.get("x-zm-signature", "")):
            return Response(status_code=401)
        key = json.loads(body)["payload"]["object"]["engagement_id"]
        await request.app.state.producer.send_and_wait(topic, body, key=key.encode())
        return Response(status_code=204)

    return app


def _server(app: object, port: int, *, lifespan: str) -> uvicorn.Server:
    return uvicorn.Server(
        uvicorn.Config(
            app,  # type: ignore[arg-type] - one takes a narrower ASGI than uvicorn gives
            port=port,
            loop="none",
            http="httptools",
            ws="none",
            lifespan=lifespan,  # type: ignore[arg-type] - "on" or "off"
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=False,
        )
    )


if __name__ == "__main__":
    main()
