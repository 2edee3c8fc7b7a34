"""Downloads over real connections that are sent on to another address."""

import pytest

from tests.support.fakes.zoom import http
from tests.support.zoom_downloads import Rig, fetched, file_response, redirect
from zoom.downloads.fetching import max_redirects
from zoom.errors import UnavailableError
from zoom.http.download_addresses import UnsafeAddressError


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_within_the_origin_keeps_the_token(rig: Rig, status: int) -> None:
    server, url = await rig.server(redirect("/b?c=%2F", status), file_response())
    assert await (await rig.downloads()).fetch(f"{url}/a", rig.target) == fetched
    assert server.requests[1].startswith("GET /b?c=%2F HTTP/1.1\r\n")
    assert server.tokens_seen() == [True, True]


async def test_the_token_is_dropped_at_another_origin_and_stays_dropped(rig: Rig) -> None:
    first, url = await rig.server(b"")
    second, other = await rig.server(redirect(f"{url}/c"))
    first.answers = [redirect(f"{other}/b"), file_response()]
    assert await (await rig.downloads()).fetch(f"{url}/a", rig.target) == fetched
    assert first.tokens_seen() == [True, False]
    assert second.tokens_seen() == [False]


async def test_a_redirect_to_a_host_that_is_not_named_is_refused(rig: Rig) -> None:
    server, url = await rig.server(redirect("https://localhost/steal?jwt=SECRET"))
    with pytest.raises(UnsafeAddressError, match="localhost") as caught:
        await (await rig.downloads()).fetch(f"{url}/a", rig.target)
    assert "SECRET" not in str(caught.value)
    assert len(server.requests) == 1


async def test_redirects_without_end_end_in_an_error(rig: Rig) -> None:
    server, url = await rig.server(redirect("/a"))
    with pytest.raises(UnavailableError, match=f"more than {max_redirects} redirects"):
        await (await rig.downloads()).fetch(f"{url}/a", rig.target)
    assert len(server.requests) == max_redirects + 1


async def test_a_redirect_to_nowhere_is_refused(rig: Rig) -> None:
    with pytest.raises(UnsafeAddressError, match="expected the URL"):
        await rig.fetch(http(302, b""))


async def test_a_host_that_is_named_itself_may_be_near(rig: Rig) -> None:
    _, url = await rig.server(file_response())
    downloads = await rig.downloads(download_hosts="localhost")
    near = url.replace("127.0.0.1", "localhost")
    assert await downloads.fetch(f"{near}/a", rig.target) == fetched
