"""What every object store keeps, and how it fails: see `runtime.object_store.store`."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Annotated

import pytest
from pydantic import SecretStr
from pydantic_settings import SettingsConfigDict

from runtime.errors import ConfigurationError, TransientError
from runtime.object_store.errors import ObjectGoneError
from runtime.object_store.settings import ObjectStoreSettings, store_url
from runtime.object_store.store import ObjectStore, StoredObject, open_object_store, page_objects
from tests.support.objects import s3_values
from tests.support.patience import HANG_GUARD_S
from tests.support.stack import RealStack


class ExampleSettings(ObjectStoreSettings):
    model_config = SettingsConfigDict(env_prefix="ZCC_EXAMPLE_")

    url: Annotated[str, store_url("s3", "gs", "az", "file")]


def s3(stack: RealStack, prefix: str = "tests") -> ExampleSettings:
    return ExampleSettings(**s3_values(stack, prefix))


def opened(settings: ExampleSettings, folder: str = "") -> ObjectStore:
    return open_object_store(settings, request_timeout_s=HANG_GUARD_S, folder=folder)


@pytest.fixture(params=["folder", "s3"])
def settings(
    request: pytest.FixtureRequest, tmp_path: Path, object_store_prefix: str
) -> ExampleSettings:
    if request.param == "folder":
        return ExampleSettings(url=f"file://{tmp_path}/objects")
    return s3(request.getfixturevalue("stack"), object_store_prefix)


@pytest.fixture
def store(settings: ExampleSettings) -> ObjectStore:
    return opened(settings)


async def listed(store: ObjectStore, folder: str = "") -> list[StoredObject]:
    return sorted([each async for page in store.pages(folder) for each in page])


async def test_an_object_is_created_once_and_never_changed(store: ObjectStore) -> None:
    assert await store.create("a/one", b"first")
    assert not await store.create("a/one", b"second")
    assert await store.get("a/one") == b"first"


async def test_of_many_that_create_one_object_at_once_one_succeeds(store: ObjectStore) -> None:
    results = await asyncio.gather(*(store.create("one", b"%d" % each) for each in range(8)))
    assert results.count(True) == 1
    assert await store.get("one") == b"%d" % results.index(True)


async def test_any_bytes_come_back(store: ObjectStore) -> None:
    content = bytes(range(256)) * 1024
    await store.create("bytes", content)
    assert await store.get("bytes") == content
    assert await store.get_range("bytes", start=255, end=258) == b"\xff\x00\x01"


async def test_an_object_that_is_gone_is_no_fault_of_the_operator(store: ObjectStore) -> None:
    with pytest.raises(ObjectGoneError, match="a/gone"):
        await store.get("a/gone")
    with pytest.raises(ObjectGoneError, match="a/gone"):
        await store.get_range("a/gone", start=0, end=1)
    assert issubclass(ObjectGoneError, TransientError)


async def test_an_object_exists_until_it_is_deleted(store: ObjectStore) -> None:
    assert not await store.exists("one")
    await store.create("one", b"1")
    assert await store.exists("one")
    await store.delete("one")
    assert not await store.exists("one")
    await store.delete("one")


async def test_a_listing_names_all_objects_below_a_folder_with_their_sizes(
    store: ObjectStore,
) -> None:
    assert await listed(store) == []
    for path in ("top", "a/1", "a/b/2", "ab/3"):
        await store.create(path, path.encode())
    below = [StoredObject("a/1", 3), StoredObject("a/b/2", 5)]
    assert await listed(store, "a") == below
    assert await listed(store) == [*below, StoredObject("ab/3", 4), StoredObject("top", 3)]
    assert list(await store.folders("a")) == ["a/b"]


async def test_a_listing_comes_in_pages(store: ObjectStore) -> None:
    paths = [f"{number:04d}" for number in range(page_objects + 1)]
    permits = asyncio.Semaphore(16)

    async def create(path: str) -> None:
        async with permits:
            await store.create(path, b"")

    await asyncio.gather(*map(create, paths))
    pages = [page async for page in store.pages()]
    assert [len(page) for page in pages] == [page_objects, 1]
    assert sorted(each.path for page in pages for each in page) == paths


async def test_stores_of_two_folders_below_a_url_are_apart(settings: ExampleSettings) -> None:
    await opened(settings, "left").create("one", b"1")
    assert await listed(opened(settings, "right")) == []
    assert await listed(opened(settings)) == [StoredObject("left/one", 1)]


Request = Callable[[ObjectStore], Awaitable[object]]
requests: dict[str, Request] = {
    "create": lambda store: store.create("path", b"content"),
    "get": lambda store: store.get("path"),
    "get_range": lambda store: store.get_range("path", start=0, end=1),
    "exists": lambda store: store.exists("path"),
    "delete": lambda store: store.delete("path"),
    "folders": lambda store: store.folders("folder"),
    "pages": listed,
}
every_request = pytest.mark.parametrize("request_of", requests.values(), ids=requests.keys())


@every_request
async def test_wrong_keys_are_the_operators_fault(stack: RealStack, request_of: Request) -> None:
    settings = s3(stack).model_copy(update={"secret_access_key": SecretStr("wrong")})
    with pytest.raises(ConfigurationError, match=r"ZCC_EXAMPLE_URL: .* refuses: .* the keys"):
        await request_of(opened(settings))


@pytest.mark.parametrize("name", ["create", "folders", "pages"])
async def test_a_bucket_that_does_not_exist_is_the_operators_fault(
    stack: RealStack, name: str
) -> None:
    settings = s3(stack).model_copy(update={"url": "s3://no-such-bucket/prefix"})
    with pytest.raises(ConfigurationError, match="ZCC_EXAMPLE_URL: there is no such bucket"):
        await requests[name](opened(settings))


@every_request
async def test_a_server_that_is_away_is_the_worlds_fault(
    request_of: Request, unused_tcp_port: int
) -> None:
    settings = unreal(f"http://127.0.0.1:{unused_tcp_port}")
    with pytest.raises(TransientError, match=r"ZCC_EXAMPLE_URL: .* does not answer"):
        await request_of(open_object_store(settings, request_timeout_s=0.5))


@every_request
async def test_no_request_takes_longer_than_its_limit(
    request_of: Request, silent_server: str
) -> None:
    with pytest.raises(TransientError, match="does not answer: TimeoutError"):
        await request_of(open_object_store(unreal(silent_server), request_timeout_s=0.1))


async def test_a_creation_may_have_a_limit_of_its_own(silent_server: str) -> None:
    with pytest.raises(TransientError, match="does not answer: TimeoutError"):
        await opened(unreal(silent_server)).create("path", b"content", timeout_s=0.1)


@pytest.mark.parametrize(
    ("url", "kind"), [("gs://bucket/p", "GCSStore"), ("az://container/p", "AzureStore")]
)
def test_the_other_clouds_are_opened_by_url(url: str, kind: str) -> None:
    settings = ExampleSettings(
        url=url, access_key_id="account", secret_access_key=SecretStr("c2VjcmV0")
    )
    assert type(opened(settings)._client).__name__ == kind


@pytest.mark.parametrize("secret", ["", "not Base64!"])
def test_a_cloud_whose_credentials_are_none_is_the_operators_fault(
    monkeypatch: pytest.MonkeyPatch, secret: str
) -> None:
    monkeypatch.delenv("AZURE_STORAGE_ACCOUNT_NAME", raising=False)
    settings = ExampleSettings(
        url="az://container/p",
        access_key_id=secret and "account",
        secret_access_key=SecretStr(secret),
    )
    with pytest.raises(ConfigurationError, match="ZCC_EXAMPLE_URL: its store cannot be opened"):
        opened(settings)


def test_a_folder_that_cannot_be_made_is_the_operators_fault(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ConfigurationError, match=r"ZCC_EXAMPLE_URL: the folder .* cannot be made"):
        opened(ExampleSettings(url=f"file://{tmp_path}/file/objects"))


def unreal(endpoint: str) -> ExampleSettings:
    return ExampleSettings(
        url="s3://bucket/prefix",
        endpoint=endpoint,
        access_key_id="key",
        secret_access_key=SecretStr("secret"),
    )


@pytest.fixture
def silent_server() -> Iterator[str]:
    """The URL of a server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
