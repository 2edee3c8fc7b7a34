"""`zcc schemas generate` and `zcc schemas diff` on files."""

import json
from pathlib import Path

import pytest

from operations.schemas.contract_files import diff, generate
from runtime.errors import ConfigurationError
from schemas.catalogue import events
from tests.support.vendor_document import Schema, document, text_of, webhook


@pytest.fixture
def whole() -> Schema:
    """A document with all events of the table, each with one member."""
    names = [kind.short_name for kind in events.values()]
    return document(**{name: webhook(name, {"a": {"type": "string"}}) for name in names})


def written(path: Path, schema: Schema) -> Path:
    path.write_bytes(text_of(schema))
    return path


def files_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_generate_writes_all_files_once(whole: Schema, tmp_path: Path) -> None:
    source, out = written(tmp_path / "webhooks.json", whole), tmp_path / "out"
    changed = generate(source, out)
    assert set(changed) == set(files_below(out))
    assert out / "webhooks/user/user_login.schema.json" in changed
    assert out / "examples/user/user_login.json" in changed
    assert out / "models/user.py" in changed
    assert generate(source, out) == []


def test_generate_writes_only_what_changed(whole: Schema, tmp_path: Path) -> None:
    source, out = written(tmp_path / "webhooks.json", whole), tmp_path / "out"
    generate(source, out)
    path = out / "examples/user/user_login.json"
    path.write_text("{}")
    assert generate(source, out) == [path]


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (lambda text: text[: len(text) // 2], "the text ends here"),
        (lambda text: b"nonsense", "#: expected JSON: line 1 column 1: Expecting value"),
        (
            lambda text: text.replace(b'"3.1.0"', b'"2.0"'),
            "#/openapi: expected OpenAPI 3, got '2.0'",
        ),
        (
            lambda text: text.replace(b'"contact_center.user_login":', b'"contact_center.later":'),
            "#/webhooks/contact_center.later: a new event",
        ),
    ],
)
def test_a_document_that_cannot_be_used_is_one_line_and_nothing_is_written(
    whole: Schema, tmp_path: Path, change: object, line: str
) -> None:
    source, out = tmp_path / "webhooks.json", tmp_path / "out"
    source.write_bytes(change(text_of(whole)))  # type: ignore[operator] # one of the lambdas above
    with pytest.raises(ConfigurationError) as raised:
        generate(source, out)
    assert str(raised.value).startswith(f"{source}#")
    assert line in str(raised.value)
    assert "\n" not in str(raised.value)
    assert files_below(tmp_path) == [source]


def test_a_file_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"absent\.json: cannot read it: No such file"):
        generate(tmp_path / "absent.json", tmp_path)
    with pytest.raises(ConfigurationError, match=r"absent\.json: cannot read it: No such file"):
        diff(tmp_path / "absent.json", tmp_path, as_json=False)


def test_where_nothing_can_be_written_nothing_is_left(whole: Schema, tmp_path: Path) -> None:
    source, out = written(tmp_path / "webhooks.json", whole), tmp_path / "out"
    out.mkdir()
    (out / "models").write_text("in the way")
    with pytest.raises(ConfigurationError, match="out: cannot write there: "):
        generate(source, out)
    assert files_below(out) == [out / "models"]


def test_diff_prints_what_changed_and_says_if_it_breaks(
    whole: Schema, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = written(tmp_path / "first.json", whole)
    del whole["webhooks"]["contact_center.user_login"]
    second = written(tmp_path / "second.json", whole)
    assert diff(first, second, as_json=False) == 1
    assert capsys.readouterr().out == (
        "contact_center.user_login\n  ! event removed\nevent removed: 1; breaking: 1\n"
    )
    assert diff(second, first, as_json=True) == 0
    assert json.loads(capsys.readouterr().out) == {
        "breaking": False,
        "differences": [
            {
                "event": "contact_center.user_login",
                "path": "",
                "change": "event added",
                "detail": "",
                "breaking": False,
            }
        ],
    }
    assert diff(first, first, as_json=False) == 0
    assert capsys.readouterr().out == "no change; breaking: 0\n"


def test_diff_names_the_document_that_cannot_be_used(whole: Schema, tmp_path: Path) -> None:
    good, bad = written(tmp_path / "good.json", whole), tmp_path / "bad.json"
    bad.write_text('{"openapi":"3.1.0","webhooks":{}}')
    with pytest.raises(ConfigurationError, match=r"bad\.json#/webhooks: expected one member per"):
        diff(good, bad, as_json=True)
