"""Accounts come from the variables or from a file; secrets may be in files of their own."""

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from runtime.errors import ConfigurationError
from tests.support.fakes.zoom import secret, zoom_settings
from zoom.accounts_file import AccountsFileError, read_accounts
from zoom.settings import ZoomSettings

own = {"account_id": "first", "client_id": "client-1", "client_secret": secret}
apart = {"account_id": "second", "client_id": "client-2", "client_secret_file": "second.secret"}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "accounts.json"
    path.write_text(json.dumps([own, apart]))
    return path


def fault(file: Path) -> AccountsFileError:
    with pytest.raises(AccountsFileError) as caught:
        read_accounts(ZoomSettings(accounts_file=file))
    assert str(caught.value).startswith("ZCC_ZOOM_ACCOUNTS_FILE: ")
    assert secret not in str(caught.value)
    return caught.value


def test_the_account_of_the_variables_is_the_only_one() -> None:
    settings = zoom_settings()
    assert read_accounts(settings) == (settings,)


def test_without_credentials_there_is_no_account() -> None:
    assert read_accounts(ZoomSettings()) == ()
    assert read_accounts(ZoomSettings(accounts_file="")) == ()
    with pytest.raises(ConfigurationError, match="set ZCC_ZOOM_ACCOUNT_ID"):
        _ = ZoomSettings().credentials


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_a_secret_may_be_in_a_file_next_to_the_list(file: Path, end: str) -> None:
    file.with_name("second.secret").write_bytes(f"of the second{end}".encode())
    accounts = read_accounts(ZoomSettings(accounts_file=file))
    secrets = [each.credentials.client_secret.get_secret_value() for each in accounts]
    assert secrets == [secret, "of the second"]


def test_a_secret_may_be_in_a_file_elsewhere(file: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "mounted" / "secret"
    elsewhere.parent.mkdir()
    elsewhere.write_text("of the second")
    file.write_text(json.dumps([apart | {"client_secret_file": str(elsewhere)}]))
    (account,) = read_accounts(ZoomSettings(accounts_file=file))
    assert account.credentials.client_secret.get_secret_value() == "of the second"


def test_a_file_that_is_missing_is_unreadable(tmp_path: Path) -> None:
    error = fault(tmp_path / "absent.json")
    assert (error.outcome, error.digest) == ("unreadable", b"")
    assert "absent.json: No such file" in str(error)


def test_a_file_of_a_secret_that_is_missing_is_unreadable_and_its_entry_named(file: Path) -> None:
    error = fault(file)
    assert error.outcome == "unreadable"
    assert "entry 2: client_secret_file: cannot read it: No such file" in str(error)


def test_a_secret_in_the_place_of_a_path_is_not_shown(file: Path) -> None:
    file.write_text(json.dumps([apart | {"client_secret_file": secret}]))
    assert "entry 1: client_secret_file: cannot read it" in str(fault(file))


@pytest.mark.parametrize(
    "content", [b"", b"\n", f"{secret}\nmore".encode(), b"\xff", b"a\x00b", b" a"]
)
def test_a_file_that_holds_no_secret_is_wrong(file: Path, content: bytes) -> None:
    file.with_name("second.secret").write_bytes(content)
    error = fault(file)
    assert error.outcome == "wrong"
    assert "entry 2: client_secret_file: expected visible ASCII on one line" in str(error)


@pytest.mark.parametrize("path", ["a\x00b", "a" * 5000, "."])
def test_a_path_that_no_file_can_have_is_named_by_its_entry(file: Path, path: str) -> None:
    file.write_text(json.dumps([own, apart | {"client_secret_file": path}]))
    assert "entry 2: client_secret_file: " in str(fault(file))


def test_other_content_at_fault_has_another_digest(file: Path) -> None:
    digests = [fault(file).digest]
    for content in ("a\nb", "c\nd"):
        file.with_name("second.secret").write_text(content)
        digests.append(fault(file).digest)
    for content in ("[", "[["):
        file.write_text(content)
        error = fault(file)
        assert error.outcome == "wrong"
        digests.append(error.digest)
    assert len(set(digests)) == len(digests)


def test_a_file_and_variables_contradict_each_other(file: Path) -> None:
    with pytest.raises(ValidationError, match="ZCC_ZOOM_ACCOUNTS_FILE is set, and so is one of"):
        zoom_settings(accounts_file=file)


@pytest.mark.parametrize(
    ("changes", "missing"),
    [
        ({"account_id": ""}, "ZCC_ZOOM_ACCOUNT_ID not set"),
        ({"client_id": ""}, "ZCC_ZOOM_CLIENT_ID not set"),
        ({"client_secret": ""}, "ZCC_ZOOM_CLIENT_SECRET not set"),
        (
            {"account_id": "", "client_secret": ""},
            "ZCC_ZOOM_ACCOUNT_ID and ZCC_ZOOM_CLIENT_SECRET not set",
        ),
    ],
)
def test_credentials_are_set_as_a_whole(changes: dict[str, object], missing: str) -> None:
    with pytest.raises(ValidationError, match=f"{missing}: expected all of"):
        zoom_settings(**changes)
