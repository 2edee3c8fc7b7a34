"""What every store of segments guarantees: see `ingest.spill.store.SegmentStore`."""

import asyncio
from pathlib import Path

import pytest

from ingest.spill.remote import BucketSegments
from ingest.spill.segment import Segment, segment_of
from ingest.spill.settings import SpillSettings
from ingest.spill.store import SegmentStores, open_stores
from runtime.errors import ConfigurationError
from runtime.values import Record
from tests.support.objects import s3_values
from tests.support.stack import RealStack


@pytest.fixture(params=["folder", "s3"])
def settings(
    request: pytest.FixtureRequest, tmp_path: Path, object_store_prefix: str
) -> SpillSettings:
    if request.param == "folder":
        return SpillSettings(url=f"file://{tmp_path}/spill")
    stack: RealStack = request.getfixturevalue("stack")
    return SpillSettings(**s3_values(stack, object_store_prefix, deadline_s=2.9))


@pytest.fixture
def places(settings: SpillSettings) -> SegmentStores:
    return open_stores(settings, successor_of="pod-0")


def segment(number: int = 0) -> Segment:
    return segment_of(
        [Record("t", b"k", b"\x00\xff\r\n")], at_ms=1_700_000_000_000 + number, instance="pod-0"
    )


async def test_what_was_put_is_there_whole_for_one_that_opens_the_store_later(
    places: SegmentStores, settings: SpillSettings
) -> None:
    one = segment()
    await places.waiting.put(str(one.name), one.content)
    later = open_stores(settings)
    assert await later.waiting.get(str(one.name)) == one.content
    assert await later.waiting.sizes() == {str(one.name): len(one.content)}


async def test_putting_the_same_segment_again_changes_nothing(places: SegmentStores) -> None:
    one = segment()
    for _ in range(2):
        await places.waiting.put(str(one.name), one.content)
    assert await places.waiting.get(str(one.name)) == one.content


async def test_what_is_not_there_is_none_and_may_be_deleted(places: SegmentStores) -> None:
    assert await places.waiting.get(str(segment().name)) is None
    await places.waiting.delete(str(segment().name))
    assert await places.waiting.sizes() == {}


async def test_what_was_deleted_is_gone(places: SegmentStores) -> None:
    one, other = segment(1), segment(2)
    for each in (one, other):
        await places.waiting.put(str(each.name), each.content)
    await places.waiting.delete(str(one.name))
    assert await places.waiting.get(str(one.name)) is None
    assert list(await places.waiting.sizes()) == [str(other.name)]


async def test_what_was_refused_is_apart_from_what_waits(places: SegmentStores) -> None:
    one, other = segment(1), segment(2)
    await places.waiting.put(str(one.name), one.content)
    await places.refused.put(str(other.name), other.content)
    assert list(await places.waiting.sizes()) == [str(one.name)]
    assert list(await places.refused.sizes()) == [str(other.name)]


async def test_a_listing_has_all_however_many_there_are(places: SegmentStores) -> None:
    some = [segment(number) for number in range(120)]
    await asyncio.gather(*(places.waiting.put(str(each.name), each.content) for each in some))
    assert sorted(await places.waiting.sizes()) == [str(each.name) for each in some]


def test_without_a_url_there_is_no_place() -> None:
    with pytest.raises(ConfigurationError, match="ZCC_SPILL_URL is empty"):
        open_stores(SpillSettings(url=""))


def test_without_keys_or_endpoint_it_is_the_clouds_own_bucket() -> None:
    assert isinstance(open_stores(SpillSettings(url="s3://bucket")).waiting, BucketSegments)
