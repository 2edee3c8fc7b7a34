"""`zcc dead-letters` on real topics, as a person on call uses it."""

import json
import subprocess

import pytest

from operations.dead_letters.audit import read_line
from runtime.settings import KafkaSettings
from runtime.values import Record
from schemas.headers import text
from schemas.reasons import DeadLetterReason
from tests.support.dead_letters import ENDED, Deployment, letter, read_before


@pytest.fixture
async def deployment(kafka_settings: KafkaSettings) -> Deployment:
    made = Deployment(kafka_settings)
    await made.make_topics()
    return made


def last_line(done: subprocess.CompletedProcess[str]) -> str:
    return done.stderr.splitlines()[-1]


async def test_dead_letters_are_listed_filtered_counted_and_shown_without_personal_data(
    deployment: Deployment,
) -> None:
    await deployment.add_letters(
        *[letter(deployment, number, error=f"row {number} is missing") for number in range(3)],
        letter(deployment, 3, event=ENDED, hour=11),
        letter(deployment, 4, worker="postgres", topic=deployment.enriched),
        letter(deployment, 5, reason=DeadLetterReason.UNREADABLE, error="\x1b[2Jno [red]JSON"),
        Record(deployment.dead("object-storage"), None, b"put here by hand"),
    )
    dead_letters = await deployment.objects("list")
    assert len(dead_letters) == 7
    assert "secret" not in str(dead_letters)
    assert "account:engagement" not in str(dead_letters)
    first = next(each for each in dead_letters if each["origin"] == f"{deployment.raw}/1/0")
    assert first | {"letter": "", "fingerprint": ""} == {
        "letter": "",
        "worker": "enrichment",
        "reason": "defect",
        "event": "contact_center.engagement_started",
        "error": "row 0 is missing",
        "failed_at": "2026-01-15T09:00:00.000Z",
        "attempts": 3,
        "replays": 0,
        "origin": f"{deployment.raw}/1/0",
        "fingerprint": "",
        "handled": None,
    }

    for arguments, count in (
        (("--worker", "postgres", "--worker", "object-storage"), 2),
        (("--failure-reason", "unreadable", "--origin-topic", deployment.raw), 1),
        (("--event", ENDED, "--from", "2026-01-15T11:00Z", "--to", "2026-01-15T12:00"), 1),
        (("--key", "account:engagement-2", "--fingerprint", first["fingerprint"]), 1),
    ):
        assert len(await deployment.objects("list", *arguments)) == count, arguments

    groups = await deployment.objects("list", "--summary")
    assert [group["count"] for group in groups] == [3, 1, 1, 1, 1]
    assert (groups[0]["error"], groups[0]["example"]) == (
        "row # is missing",
        f"{deployment.raw}/1/0",
    )
    table = await deployment.zcc("list", "--limit", "2")
    assert len(table.stdout.splitlines()) == 3
    assert f"{deployment.raw}/1/0" in table.stdout
    assert last_line(table) == "2 of 7: see --summary, --limit, --json"
    summary = (await deployment.zcc("list", "--summary")).stdout
    assert len(summary.splitlines()) == 6
    assert "\\x1b[# [red]JSON" in summary

    shown = await deployment.zcc("show", f"{deployment.raw}/1/0")
    assert shown.returncode == 0
    assert "  odd: \\xff\\x00\n" in shown.stdout
    assert "key: account:engagement-0\n" in shown.stdout
    assert "secret" not in shown.stdout + shown.stderr
    with_body = await deployment.zcc("show", first["letter"], "--body")
    assert with_body.stdout == f"{shown.stdout}body:\nsecret body 0       \n"
    assert with_body.stderr == "zcc: the body holds personal data\n"
    (whole,) = await deployment.objects("show", first["letter"], "--body")
    assert (whole["body"], whole["key"]) == ("secret body 0       ", "account:engagement-0")
    assert ["ce_id", "event-0"] in whole["headers"]

    nothing = await deployment.zcc("list", "--key", "nobody")
    assert (nothing.returncode, nothing.stdout) == (1, "")
    assert nothing.stderr == "zcc: nothing matched\n"
    assert (await deployment.zcc("show", f"{deployment.raw}/1/999")).returncode == 1


async def test_a_replay_is_byte_identical_confirmed_audited_and_done_once(
    deployment: Deployment,
) -> None:
    letters = [letter(deployment, number) for number in range(4)]
    spent = letter(deployment, 4, headers=(("zcc-replays", b"3"),))
    await deployment.add_letters(*letters, spent)

    dry = await deployment.zcc("replay", "--dry-run", "--json")
    group, refused = map(json.loads, dry.stdout.splitlines())
    assert (dry.returncode, group["count"], refused["refused"]) == (1, 4, 1)
    assert "replayed 3 times already" in refused["why"]
    unsure = await deployment.zcc("replay", typed="yes\n")
    assert (unsure.returncode, unsure.stdout) == (1, "")
    assert last_line(unsure) == "zcc: not confirmed: nothing was done"
    silent = await deployment.zcc("replay")
    assert (
        silent.returncode,
        await deployment.read(deployment.raw),
        await deployment.read(deployment.audit),
    ) == (
        1,
        [],
        [],
    )

    done = await deployment.zcc("replay", "--by", "ann", "--reason", "mended", typed="4\n")
    assert done.returncode == 1
    assert len([line for line in done.stdout.splitlines() if line.startswith("replayed ")]) == 4
    assert done.stdout.count("refused ") == 1
    assert "4 replayed" in last_line(done)
    assert "1 refused" in last_line(done)

    sent = await deployment.read(deployment.raw)
    assert {each.partition for each in sent} == {1}
    assert sorted((each.key, each.value, each.headers) for each in sent) == sorted(
        (key, value, (*headers, ("zcc-replays", b"1")))
        for key, value, headers in map(read_before, letters)
    )
    lines = [json.loads(each.value or b"") for each in await deployment.read(deployment.audit)]
    assert {(line["action"], line["by"], line["reason"], line["to"]) for line in lines} == {
        ("replayed", "ann", "mended", deployment.raw)
    }
    assert {line["origin"] for line in lines} == {f"{deployment.raw}/1/{n}" for n in range(4)}

    (still_open,) = await deployment.objects("list")
    assert still_open["origin"] == f"{deployment.raw}/1/4"
    everything = await deployment.objects("list", "--all")
    assert [each["handled"]["by"] for each in everything if each["handled"]] == ["ann"] * 4
    assert "replayed by ann at 20" in (await deployment.zcc("list", "--all")).stdout
    (again,) = [
        json.loads(line)
        for line in (await deployment.zcc("replay", "--yes", "--json")).stdout.splitlines()
    ]
    assert again["outcome"] == "refused"
    (spared,) = await deployment.objects("replay", "--yes", "--max-replays", "4")
    assert (spared["outcome"], spared["replays"]) == ("replayed", 4)
    assert text((await deployment.read(deployment.raw))[-1].headers, "zcc-replays") == "4"
    over = await deployment.zcc("replay", "--yes")
    assert (over.returncode, last_line(over)) == (1, "zcc: nothing matched")


async def test_only_the_worker_sees_it_again_where_that_is_requested(
    deployment: Deployment,
) -> None:
    await deployment.add_letters(
        letter(deployment, 0),
        letter(deployment, 1, worker="postgres", topic=deployment.enriched, hour=8),
    )
    done = await deployment.zcc("replay", "--to-worker", "--yes")
    assert done.returncode == 1
    assert "postgres has no retry topic: send it to the original topic\n" in done.stdout
    (waiting,) = await deployment.read(deployment.retry)
    assert text(waiting.headers, "zcc-origin") == f"{deployment.raw}/1/0"
    assert text(waiting.headers, "zcc-replays") == "1"
    assert await deployment.read(deployment.raw) == await deployment.read(deployment.enriched) == []


async def test_discarded_dead_letters_are_handled_and_nothing_is_sent(
    deployment: Deployment,
) -> None:
    await deployment.add_letters(*[letter(deployment, number) for number in range(3)])
    some = await deployment.objects(
        "discard", "--reason", "a test of ours", "--by", "bob", "--limit", "2", "--yes"
    )
    assert [each["outcome"] for each in some] == ["discarded"] * 2
    assert await deployment.read(deployment.raw) == []
    named = [read_line(each.value) for each in await deployment.read(deployment.audit)]
    assert {line[1][:2] for line in named if line} == {("discarded", "bob")}
    (left,) = await deployment.objects("list")
    assert left["origin"] == f"{deployment.raw}/1/2"
    assert (await deployment.zcc("list", "--all", "--worker", "postgres")).returncode == 1
    with_strange_line = Record(deployment.audit, b"?", b"no line")
    await deployment.produce([with_strange_line])
    listing = await deployment.zcc("list", "--all")
    assert listing.stdout.count("discarded by bob") == 2
    assert "audit lines of an unknown version" in listing.stderr


@pytest.mark.parametrize(
    ("arguments", "expected_error"),
    [
        (("list", "--worker", "nobody"), "--worker nobody: expected one of enrichment, "),
        (("show", "12"), "12: expected topic/partition/offset"),
        (("discard", "--reason", " ", "--yes"), "--reason: expected why"),
        (("list",), "topics that do not exist: "),
    ],
)
async def test_wrong_usage_is_one_line_and_exit_code_2(
    kafka_settings: KafkaSettings, arguments: tuple[str, ...], expected_error: str
) -> None:
    done = await Deployment(kafka_settings).zcc(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("zcc: ")
    assert expected_error in line


async def test_brokers_that_do_not_answer_are_one_line_and_exit_code_1(
    kafka_settings: KafkaSettings, unused_tcp_port: int
) -> None:
    nowhere = kafka_settings.model_copy(
        update={"bootstrap_servers": f"127.0.0.1:{unused_tcp_port}"}
    )
    done = await Deployment(nowhere).zcc("replay", "--yes")
    assert done.returncode == 1
    assert last_line(done).startswith("zcc: ")
    assert "Traceback" not in done.stderr
