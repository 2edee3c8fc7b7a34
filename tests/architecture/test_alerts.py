"""Each alert fires on what it is for and is silent before, as promtool evaluates it.

At scrapes of 15 seconds and of a minute, which is Prometheus' own default: a range that holds too
few samples is empty there. Prometheus 3 leaves the first moment of a range out, so that `[1m]` at
a minute holds one sample; promtool 3 shows it, promtool 2 does not. `make promtool` builds one.
"""

import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.alert_cases.case import Case
from tests.support.alert_cases.every import by_subject, cases, every_case
from tests.support.alert_cases.validation import slow
from tests.support.patience import HANG_GUARD_S
from tests.support.promtool import promtool

root = Path(__file__).parents[2]
folder = root / "deploy" / "prometheus"
rules: list[dict[str, Any]] = [
    rule
    for group in yaml.safe_load((folder / "alerts.yml").read_text())["groups"]
    for rule in group["rules"]
]
shortest_range_s = 4 * 60
unit_s = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    program = promtool()
    if program is None:
        pytest.skip("promtool is not installed (Debian: apt-get install prometheus)")
    return subprocess.run(
        [program, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=HANG_GUARD_S,
    )


def written_for(case: Case, labels: Mapping[str, str]) -> Mapping[str, Any]:
    """The rule that such an instance is of: the one whose own labels it does not contradict."""
    return next(
        rule
        for rule in rules
        if rule["alert"] == case.alert
        and all(labels.get(name, text) == text for name, text in rule["labels"].items())
    )


def rendered(text: str, case: Case, labels: Mapping[str, str]) -> str:
    text = re.sub(r"{{ \$labels\.(\w+) }}", lambda match: labels.get(match[1], ""), text)
    return re.sub(r"{{ \$value[^}]* }}", case.value, text)


def expected(case: Case, labels: Mapping[str, str]) -> dict[str, Any]:
    rule = written_for(case, labels)
    annotations = {name: rendered(text, case, labels) for name, text in rule["annotations"].items()}
    return {"exp_labels": {**rule["labels"], **labels}, "exp_annotations": annotations}


def written(chosen: Sequence[Case], into: Path, *, scrape_s: int) -> list[str]:
    """Write for each alert a file of tests and one with its rules; return the names of the tests.

    With all rules in each, every rule would be evaluated over the course of every case.
    """
    names = []
    for alert in sorted({case.alert for case in chosen}):
        own = {"name": alert, "rules": [rule for rule in rules if rule["alert"] == alert]}
        tests = {
            "rule_files": [f"{alert}.yml"],
            "evaluation_interval": f"{scrape_s}s",
            "tests": [course(case, scrape_s) for case in chosen if case.alert == alert],
        }
        (into / f"{alert}.yml").write_text(yaml.safe_dump({"groups": [own]}))
        (into / f"{alert}_test.yml").write_text(yaml.safe_dump(tests, sort_keys=False))
        names.append(str(into / f"{alert}_test.yml"))
    return names


def course(case: Case, scrape_s: int) -> dict[str, Any]:
    """A case as promtool reads it, each sample held until the next."""
    checks = [
        *((moment, []) for moment in case.silent),
        *((at, [expected(case, labels) for labels in fires]) for at, fires in case.fires.items()),
    ]
    return {
        "name": f"{case.alert}: {case.note}",
        "interval": f"{scrape_s}s",
        "input_series": [
            {"series": name, "values": spread(values, case.minutes * 60 // scrape_s)}
            for name, values in case.series.items()
        ],
        "alert_rule_test": [
            {"eval_time": at, "alertname": case.alert, "exp_alerts": alerts}
            for at, alerts in checks
        ],
    }


def spread(values: str, times: int) -> str:
    """Repeat each sample."""
    if times == 1:
        return values
    # A missing sample alone is counted by its number, not by the number that follow.
    return " ".join(
        f"{sample}x{times if sample == '_' else times - 1}" for sample in samples(values)
    )


def samples(values: str) -> Iterator[str]:
    """The samples that promtool's notation stands for."""
    for word in values.split():
        match = re.fullmatch(r"(_|[-\d.]+)(?:([+-][\d.]+))?(?:x(\d+))?", word)
        assert match, word
        first, step, count = match[1], float(match[2] or 0), int(match[3] or 0)
        if first == "_":
            yield from ["_"] * max(1, count)
        else:
            yield from (f"{float(first) + step * n:g}" for n in range(count + 1))


@pytest.mark.thorough
@pytest.mark.parametrize("scrape_s", [15, 60])
@pytest.mark.parametrize("subject", by_subject)
def test_every_alert_fires_on_what_it_is_for_and_not_before(
    subject: str, scrape_s: int, tmp_path: Path
) -> None:
    done = run("test", "rules", *written(by_subject[subject], tmp_path, scrape_s=scrape_s))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.thorough
def test_an_endpoint_that_is_not_validated_for_days_raises_an_alert(tmp_path: Path) -> None:
    done = run("test", "rules", *written(slow, tmp_path, scrape_s=300))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.thorough
def test_a_case_that_does_not_hold_fails(tmp_path: Path) -> None:
    """So that the tests above cannot pass by what they leave out."""
    (halted,) = (case for case in cases if case.alert == "ZccWorkerHalted")
    wrong = Case(halted.alert, halted.series, {"1m": [{"worker": "postgres"}]})
    assert run("test", "rules", *written([wrong], tmp_path, scrape_s=60)).returncode != 0


def test_every_rule_has_a_case_that_sees_it_fire() -> None:
    fired = {
        (case.alert, written_for(case, labels)["expr"])
        for case in every_case
        for instances in case.fires.values()
        for labels in instances
    }
    assert fired == {(rule["alert"], rule["expr"]) for rule in rules}


@pytest.mark.parametrize("rule", rules, ids=lambda rule: rule["alert"])
def test_every_range_holds_four_scrapes_of_a_minute(rule: Mapping[str, Any]) -> None:
    ranges = re.findall(r"\[(\d+)([smhd])", rule["expr"])
    assert [f"{n}{unit}" for n, unit in ranges if int(n) * unit_s[unit] < shortest_range_s] == []


def rows(page: str) -> dict[str, list[str]]:
    """The rows of the first table of a page, by their first cell."""
    lines = (root / page).read_text().splitlines()
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines if line[:1] == "|"]
    return {first: rest for first, *rest in cells if first.startswith("Zcc")}


def test_the_pages_list_every_alert_and_no_other() -> None:
    names = {rule["alert"] for rule in rules}
    assert set(rows("docs/how-to/on-call.md")) == names
    listed = rows("docs/reference/alerts.md")
    assert set(listed) == names
    assert {rule["alert"]: rule["labels"]["severity"] for rule in rules} == {
        name: severity for name, (severity, *_) in listed.items()
    }


def test_every_alert_is_fired_on_the_running_product_or_named_as_not() -> None:
    """A test that the page names waits for the alert."""
    source = (root / "tests" / "faults" / "test_alarms.py").read_text()
    tests = {text.partition("(")[0]: text for text in re.split(r"(?m)^async def ", source)}
    for name, (*_, fired_by) in rows("docs/reference/alerts.md").items():
        if not fired_by.startswith("not on the running product: "):
            assert f'.fires("{name}"' in tests[fired_by.strip("`")], name


@pytest.mark.thorough
@pytest.mark.parametrize(
    "arguments",
    [("check", "rules", "alerts.yml"), ("check", "config", "--syntax-only", "prometheus.yml")],
    ids=" ".join,
)
def test_prometheus_accepts_the_files(arguments: tuple[str, ...]) -> None:
    done = run(*arguments)
    assert done.returncode == 0, done.stdout + done.stderr
