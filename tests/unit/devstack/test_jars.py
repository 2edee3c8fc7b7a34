import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from devstack.jars import Jar, class_path, local_repository, locked_jars, parse
from devstack.options import KAFKA_VERSIONS, DevstackError

CONTENT = b"a jar"
JAR = Jar("org.example", "thing", "1.2", "", hashlib.sha256(CONTENT).hexdigest())
FAT_JAR = Jar("org.example", "fat", "1.2", "all", hashlib.sha256(CONTENT).hexdigest())


class Fetched:
    def __init__(self, content: bytes = CONTENT) -> None:
        self.names: list[str] = []
        self._content = content

    def __call__(self, jar: Jar, repository: Path) -> None:
        self.names.append(jar.name)
        jar.path(repository).parent.mkdir(parents=True, exist_ok=True)
        jar.path(repository).write_bytes(self._content)


def test_a_line_of_a_lock_names_coordinates_and_content() -> None:
    assert parse("org.example:fat:1.2:all abc") == Jar("org.example", "fat", "1.2", "all", "abc")
    assert parse("org.example:thing:1.2 abc") == Jar("org.example", "thing", "1.2", "", "abc")


def test_a_jar_stands_where_maven_puts_it(tmp_path: Path) -> None:
    assert FAT_JAR.path(tmp_path) == tmp_path / "org/example/fat/1.2/fat-1.2-all.jar"


def test_missing_jars_are_fetched_once_and_then_taken_from_the_folder(tmp_path: Path) -> None:
    fetched = Fetched()
    first = class_path([JAR, FAT_JAR], tmp_path, fetch=fetched)
    second = class_path([JAR, FAT_JAR], tmp_path, fetch=fetched)
    assert sorted(fetched.names) == ["fat-1.2-all.jar", "thing-1.2.jar"]
    assert first == second == f"{JAR.path(tmp_path)}{os.pathsep}{FAT_JAR.path(tmp_path)}"


def test_a_half_written_jar_is_fetched_anew(tmp_path: Path) -> None:
    Fetched(CONTENT[:2])(JAR, tmp_path)
    class_path([JAR], tmp_path, fetch=Fetched())
    assert JAR.path(tmp_path).read_bytes() == CONTENT


def test_two_starts_at_once_fetch_each_jar_once(tmp_path: Path) -> None:
    fetched = Fetched()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: class_path([JAR], tmp_path, fetch=fetched), range(4)))
    assert fetched.names == ["thing-1.2.jar"]


def test_another_content_than_the_lock_names_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DevstackError, match=r"thing-1\.2\.jar was fetched, but is not what"):
        class_path([JAR], tmp_path, fetch=Fetched(b"another jar"))


@pytest.mark.parametrize("part", ["kafka", "kafka-4.4.0", "kafka-tools", "kafka-tools-4.4.0", "s3"])
def test_a_lock_names_each_artifact_once_with_a_digest(part: str) -> None:
    jars = locked_jars(part)
    assert len({(jar.group, jar.artifact) for jar in jars}) == len(jars)
    assert all(len(jar.sha256) == 64 for jar in jars)


@pytest.mark.parametrize("version", KAFKA_VERSIONS)
def test_all_jars_of_kafka_are_of_one_version_and_its_log_has_a_binding(version: str) -> None:
    suffix = "" if version == KAFKA_VERSIONS[0] else f"-{version}"
    jars, tools = locked_jars(f"kafka{suffix}"), locked_jars(f"kafka-tools{suffix}")
    assert {j.version for j in (*jars, *tools) if j.group == "org.apache.kafka"} == {version}
    assert "log4j-slf4j-impl" in {jar.artifact for jar in jars}


def test_mavens_folder_can_be_set_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("M2_REPO", str(tmp_path))
    assert local_repository() == tmp_path
