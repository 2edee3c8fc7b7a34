"""Records that the client library cannot decode."""

import struct
from collections.abc import Sequence

from aiokafka.client import AIOKafkaClient
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.util import calc_crc32c

from runtime.settings import KafkaSettings

_name = b"\xff\xfe"


async def produce_undecodable(
    kafka: KafkaSettings,
    topic: str,
    *,
    before: Sequence[bytes] = (),
    behind: Sequence[bytes] = (),
) -> None:
    """Store a record whose header has a name that is no text, with others in its batch."""
    builder = DefaultRecordBatchBuilder(2, 0, 0, -1, -1, -1, 1000)
    values = [*before, b"v", *behind]
    for offset, value in enumerate(values):
        headers = [("?" * len(_name), b"")] if offset == len(before) else []
        builder.append(offset, timestamp=1, key=b"k", value=value, headers=headers)
    batch = bytes(builder.build()).replace(b"?" * len(_name), _name)
    crc = calc_crc32c(batch[21:])  # what follows the checksum. Source: message format
    batch = batch[:17] + struct.pack(">I", crc) + batch[21:]
    client = AIOKafkaClient(bootstrap_servers=kafka.bootstrap_servers)
    await client.bootstrap()
    request = ProduceRequest(
        transactional_id=None, required_acks=-1, timeout=5000, topics=[(topic, [(0, batch)])]
    )
    answer = await client.send(client.get_random_node(), request)
    assert answer.topics[0][1][0][1] == 0
    await client.close()
