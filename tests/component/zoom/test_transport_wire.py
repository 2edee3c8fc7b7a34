"""What the transport puts on the wire, and whom it does not talk to."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email import message_from_bytes
from email.policy import HTTP

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from tests.support.fakes.zoom import http, zoom_settings
from zoom.errors import UnavailableError, ZoomFault
from zoom.http.download_addresses import UnsafeAddressError
from zoom.http.transport import opened, opened_streams
from zoom.messages import Method, MultipartPart, Request


@asynccontextmanager
async def recorder(requests: list[bytes], answer: bytes) -> AsyncIterator[str]:
    """Keep whole requests, bodies included."""

    async def connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(fields(head).get("Content-Length", "0"))
        requests.append(head + await reader.readexactly(length))
        writer.write(answer)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(connection, "127.0.0.1", 0)
    async with server:
        host, port = server.sockets[0].getsockname()
        yield f"http://{host}:{port}"


def fields(request: bytes) -> dict[str, str]:
    head = request.split(b"\r\n\r\n")[0].split(b"\r\n", 1)[1]
    return dict(message_from_bytes(head, policy=HTTP).items())


async def sent(
    method: Method,
    target: str = "/v2/a",
    *,
    form: tuple[tuple[str, str], ...] = (),
    json: bytes = b"",
    parts: tuple[MultipartPart, ...] = (),
) -> bytes:
    requests: list[bytes] = []
    async with (
        recorder(requests, http(200, b"{}")) as url,
        opened(zoom_settings()) as transport,
    ):
        request = Request(
            method, url + target, {"Authorization": "Bearer x"}, form=form, json=json, parts=parts
        )
        assert (await transport.send(request)).status == 200
    assert fields(requests[0])["Authorization"] == "Bearer x"
    return requests[0]


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
async def test_every_method_is_sent(method: Method) -> None:
    assert (await sent(method)).startswith(f"{method} /v2/a HTTP/1.1\r\n".encode())


@pytest.mark.parametrize(
    "target",
    [
        "/v2/contact_center/users/a%252Fb%252Bc%253D",
        "/v2/a%41%7e%20b/c?x=%41%2C%2f&y=a+b,c&z=%E2%82%AC&&next_page_token=%2B%26%3D",
        "/v2/../a//b/./c?x",
    ],
)
async def test_an_address_goes_out_as_it_stands(target: str) -> None:
    assert (await sent("GET", target)).startswith(f"GET {target} HTTP/1.1\r\n".encode())


async def test_a_document_goes_out_as_it_is_and_is_called_json() -> None:
    request = await sent("PATCH", json='{"a":"ü"}'.encode())
    assert request.endswith('\r\n\r\n{"a":"ü"}'.encode())
    assert fields(request)["Content-Type"] == "application/json"


async def test_a_form_keeps_its_order_and_what_comes_twice() -> None:
    request = await sent("POST", form=(("a", "1 &"), ("b", "ü"), ("a", "2")))
    assert request.endswith(b"\r\n\r\na=1+%26&b=%C3%BC&a=2")
    assert fields(request)["Content-Type"] == "application/x-www-form-urlencoded"


async def test_parts_are_fields_and_files() -> None:
    parts = (
        MultipartPart("name", "Grüße".encode()),
        MultipartPart(
            "file", b"\x00\xff\r\n--x", file_name='Grüße "\r\nX: 1.wav', content_type="audio/wav"
        ),
        MultipartPart("plain", b"1", file_name="b"),
    )
    request = await sent("POST", parts=parts)
    kind = f"Content-Type: {fields(request)['Content-Type']}\r\n\r\n".encode()
    message = message_from_bytes(kind + request.split(b"\r\n\r\n", 1)[1], policy=HTTP)
    assert message.get_content_type() == "multipart/form-data"
    fields_and_files = list(message.iter_parts())
    assert [
        (
            each.get_param("name", header="content-disposition"),
            each.get_filename(),
            each.get_content_type(),
            each.get_payload(decode=True),
        )
        for each in fields_and_files
    ] == [
        ("name", None, "text/plain", "Grüße".encode()),
        ("file", "Grüße %22%0D%0AX: 1.wav", "audio/wav", b"\x00\xff\r\n--x"),
        ("plain", "b", "application/octet-stream", b"1"),
    ]


async def test_a_redirect_comes_back_as_it_is() -> None:
    requests: list[bytes] = []
    answer = http(302, b"", {"Location": "/elsewhere"})
    async with recorder(requests, answer) as url, opened(zoom_settings()) as transport:
        response = await transport.send(Request("GET", f"{url}/a", {}))
    assert (response.status, response.headers["location"], len(requests)) == (302, "/elsewhere", 1)


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
async def test_what_gets_no_answer_is_not_sent_again(method: Method) -> None:
    requests: list[bytes] = []
    async with recorder(requests, b"") as url, opened(zoom_settings()) as transport:
        with pytest.raises(UnavailableError, match=f"network: {url}: Server"):
            await transport.send(Request(method, f"{url}/a?secret=s", {}, json=b"{}"))
    assert len(requests) == 1


class FixedResolver(AbstractResolver):
    def __init__(self, address: str) -> None:
        self.address = address

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        family = socket.AF_INET6 if ":" in self.address else socket.AF_INET
        return [
            ResolveResult(
                hostname=host, host=self.address, port=port, family=family, proto=0, flags=0
            )
        ]

    async def close(self) -> None:
        pass


private = [
    "127.0.0.1",
    "10.1.2.3",
    "192.168.0.1",
    "169.254.169.254",
    "::1",
    "fe80::1%eth0",
    "::ffff:10.0.0.1",
]


@pytest.mark.parametrize("address", private)
async def test_a_name_below_an_allowed_one_leads_to_no_private_address(address: str) -> None:
    settings = zoom_settings(download_hosts="zoom.us")
    async with opened_streams(settings, resolver=FixedResolver(address)) as streams:
        with pytest.raises(UnsafeAddressError, match=r"file\.zoom\.us leads to a private address"):
            async with streams.get("https://file.zoom.us/a", {}):
                pass


async def test_a_name_that_is_allowed_itself_may_lead_to_one() -> None:
    settings = zoom_settings(download_hosts="store.example")
    async with opened_streams(settings, resolver=FixedResolver("127.0.0.1")) as streams:
        with pytest.raises(UnavailableError) as caught:
            async with streams.get("http://store.example:1/a", {}):
                pass
    assert caught.value.fault is ZoomFault.NETWORK
