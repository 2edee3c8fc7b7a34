"""What mypy says of right and wrong uses of the typed resources, as an editor would."""

import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

pytestmark = pytest.mark.static

ROOT = Path(__file__).parents[2]

USES = """
from collections.abc import AsyncGenerator
from datetime import UTC, date, datetime
from typing import assert_type

from zoom.requests.bodies import File
from zoom.resources import Resources
from zoom.resources.types.queues import CreateQueueBody, ListedQueue, Queue
from zoom.resources.types.engagements import Engagement


async def right(client: Resources, body: CreateQueueBody) -> None:
    queue = await client.queues.get("an-id")
    assert_type(queue, Queue)
    assert_type(queue["queue_name"], str)
    assert_type(client.queues.list_all(channel="voice"), AsyncGenerator[ListedQueue, None])
    async for each in client.queues.list_all():
        assert_type(each["cc_queue_id"], str)
    page = await client.engagements.list(
        from_=datetime(2026, 1, 1, tzinfo=UTC), to=date(2026, 1, 2), page_size=10
    )
    assert_type(page["from"], str)
    assert_type(await client.engagements.get(engagement_id="an-id"), Engagement)
    await client.queues.create(body=body)
    await client.queues.create(body={"queue_name": "A", "channel": "voice"})
    await client.flows.import_flow(body={"flow_file": File("a", b""), "flow_name": "A"})


async def wrong(client: Resources) -> None:
    client.quests  # expect: "Resources" has no attribute "quests"
    await client.queues.fetch("an-id")  # expect: "Queues" has no attribute "fetch"
    await client.queues.get()  # expect: Missing positional argument "queue_id"
    await client.queues.get(1)  # expect: incompatible type "int"; expected "str"
    await client.queues.get("an-id", page=1)  # expect: Unexpected keyword argument "page"
    await client.queues.list("token")  # expect: Too many positional arguments
    await client.queues.list(page_size="10")  # expect: expected "int | None"
    await client.queues.list(channel="telex")  # expect: Literal['telex']
    library = client.asset_library
    await library.create_asset_category()  # expect: Missing named argument "body"
    await library.create_asset_category(body={"category_scope": "agent"})  # expect: Missing key
    await library.create_asset_category(
        body={"category_name": 1, "category_scope": "agent"}  # expect: has type "str"
    )
    await library.create_asset_category(
        body={"category_name": "A", "category_scope": "all"}  # expect: Literal['system', 'agent']
    )
    await library.create_asset_category(
        body={"category_name": "A", "category_scope": "agent", "hue": 1}  # expect: Extra key "hue"
    )
    await client.queues.create(body={"hue": 1})  # expect: expected "CreateQueueBody | None"
    (await client.queues.get("an-id"))["hue"]  # expect: TypedDict "Queue" has no key "hue"
    client.queues.list_all(next_page_token="a")  # expect: Unexpected keyword argument
    client.queues.get_all()  # expect: "Queues" has no attribute "get_all"
    await client.flows.import_flow(body={"flow_file": b"", "flow_name": "A"})  # expect: type "File"
"""


def test_mypy_accepts_right_uses_and_reports_each_wrong_one(tmp_path: Path) -> None:
    (tmp_path / "uses.py").write_text(USES)
    command = (sys.executable, "-m", "mypy", "--config-file", "pyproject.toml")
    cache = str(tmp_path / "cache")
    options = ("--no-error-summary", "--follow-imports", "silent", "--cache-dir", cache)
    done = subprocess.run(
        [*command, *options, str(tmp_path / "uses.py")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    reported: defaultdict[int, str] = defaultdict(str)
    for number, message in re.findall(r"uses\.py:(\d+): error: (.*)", done.stdout):
        reported[int(number)] += message
    expected = {
        number: line.partition("# expect: ")[2]
        for number, line in enumerate(USES.splitlines(), 1)
        if "# expect: " in line
    }
    assert reported.keys() == expected.keys(), done.stdout + done.stderr
    for number, message in expected.items():
        assert message in reported[number]
