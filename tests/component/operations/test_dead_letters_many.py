"""As many dead letters as a bad night brings are read in bounded memory."""

import asyncio
import json
import sys

import pytest

from runtime.settings import KafkaSettings
from tests.support.dead_letters import Deployment, letter, root

COUNT = 100_000
BODY_BYTES = 2_000

measured = r"""
import re, sys
from pathlib import Path
from operations.cli import main
try:
    main()
finally:
    # Not getrusage: its figure begins with the memory of the parent process.
    status = Path("/proc/self/status").read_text()
    print(int(re.search(r"VmHWM:\s+(\d+)", status)[1]) // 1024, file=sys.stderr)
"""


@pytest.mark.long
async def test_a_hundred_thousand_dead_letters_are_read_in_bounded_memory(
    kafka_settings: KafkaSettings,
) -> None:
    deployment = Deployment(kafka_settings)
    await deployment.make_topics()
    await deployment.produce(letter(deployment, number, size=BODY_BYTES) for number in range(COUNT))

    for arguments, most_mib, count in (
        (("list", "--json"), 120, COUNT),
        (("list", "--summary", "--json"), 120, 1),
        (("replay", "--dry-run", "--json"), 200, 1),
    ):
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", measured, "dead-letters", *arguments),
            cwd=root,
            env=deployment.environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate()
        assert process.returncode == 0, err.decode()
        lines = out.splitlines()
        assert len(lines) == count
        if count == 1:
            assert json.loads(lines[0])["count"] == COUNT
        used_mib = int(err.splitlines()[-1])
        assert used_mib < most_mib, arguments
