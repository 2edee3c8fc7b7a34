"""The hash of keys. Expected values: Kafka's Java client, UtilsTest.testMurmur2."""

import os

import pytest
from aiokafka.partitioner import murmur2 as murmur2_of_library

from runtime.partitioner import murmur2, partition_of


@pytest.mark.parametrize(
    ("key", "java"),
    [
        (b"21", -973932308),
        (b"foobar", -790332482),
        (b"a-little-bit-long-string", -985981536),
        (b"a-little-bit-longer-string", -1486304829),
        (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        (b"abc", 479470107),
    ],
)
def test_the_hash_is_that_of_java(key: bytes, java: int) -> None:
    assert murmur2(key) == java % 2**32
    assert partition_of(key, partitions=12) == (java & 0x7FFFFFFF) % 12


@pytest.mark.parametrize("size", range(20))
def test_the_hash_is_that_of_the_client_library_for_every_length(size: int) -> None:
    key = os.urandom(size)
    assert murmur2(key) == murmur2_of_library(key)
