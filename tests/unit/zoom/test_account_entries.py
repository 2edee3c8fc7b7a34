"""The list of accounts is read strictly; an error names the entry and never shows a secret."""

import json

import pytest
from pydantic import SecretStr

from tests.support.fakes.zoom import secret
from zoom.account_entries import max_accounts, parse_accounts
from zoom.limits import Label, Limit
from zoom.settings import ZoomSettings

first = {"account_id": "first", "client_id": "client-1", "client_secret": secret}
second = {"account_id": "second", "client_id": "client-2", "client_secret_file": "second.secret"}


def problem(*entries: object) -> str:
    with pytest.raises(ValueError, match=r".") as caught:
        parse_accounts(json.dumps(entries).encode())
    assert secret not in str(caught.value)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def changed(**members: object) -> dict[str, object]:
    return {name: v for name, v in (first | members).items() if v != "left out"}


def test_entries_come_in_the_order_of_the_list() -> None:
    entries = parse_accounts(json.dumps([first, second]).encode())
    assert [entry.account_id for entry in entries] == ["first", "second"]
    assert secret not in repr(entries)


def test_an_entry_has_its_own_settings_and_the_rest_in_common() -> None:
    own = {
        "plan": "business_plus",
        "share": 1,
        "calls_per_second": {"HEAVY": 20},
        "calls_per_day": {"HEAVY": 60_000},
        "oauth_url": "https://zoomgov.com/oauth/token",
        "api_url": "https://api.zoomgov.com/v2/",
    }
    common = ZoomSettings(share=0.25, call_timeout_s=9, calls_per_second={Label.LIGHT: 3})
    with_own, without = parse_accounts(json.dumps([first | own, second]).encode())
    settings = with_own.settings(common, SecretStr("one"))
    assert settings.limits[Label.HEAVY] == Limit(20, 60_000)
    assert settings.limits[Label.LIGHT] == Limit(40)
    assert (settings.share, settings.call_timeout_s) == (1.0, 9)
    assert settings.oauth_url == "https://zoomgov.com/oauth/token"
    assert settings.api_url == "https://api.zoomgov.com/v2"
    assert settings.credentials.client_secret.get_secret_value() == "one"
    settings = without.settings(common, SecretStr("two"))
    assert settings.limits[Label.LIGHT] == Limit(3)
    assert (settings.share, settings.plan) == (0.25, "pro")
    assert settings.credentials.account_id == "second"
    assert settings.oauth_url == common.oauth_url


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"account_id": "left out"}, "entry 2: account_id is missing"),
        ({"client_id": "left out"}, "entry 2: client_id is missing"),
        (
            {"client_secret": "left out"},
            "entry 2: expected one of client_secret and client_secret_file",
        ),
        (
            {"client_secret_file": "file"},
            "entry 2: expected one of client_secret and client_secret_file",
        ),
        (
            {"account_id": "a:b"},
            "entry 2: account_id: expected 1 to 64 visible characters without a colon",
        ),
        (
            {"account_id": 7},
            "entry 2: account_id: expected 1 to 64 visible characters without a colon",
        ),
        (
            {"client_id": secret + ":"},
            "entry 2: client_id: expected 1 to 200 visible characters without a colon",
        ),
        ({"client_secret": ""}, "entry 2: client_secret: expected visible ASCII on one line"),
        ({"client_secret": f"{secret} "}, "entry 2: client_secret: expected visible ASCII"),
        ({"client_secret": f"{secret}\n"}, "entry 2: client_secret: expected visible ASCII"),
        ({"client_secret": f"{secret}é"}, "entry 2: client_secret: expected visible ASCII"),
        ({"client_secret": [secret]}, "entry 2: client_secret: expected a text"),
        ({"client_secret_file": ""}, "entry 2: client_secret_file: expected the path of a file"),
        ({"plan": secret}, "entry 2: plan: expected pro or business_plus"),
        ({"share": 0}, "entry 2: share: expected a number above 0, at most 1"),
        ({"share": 1.1}, "entry 2: share: expected a number above 0, at most 1"),
        ({"share": "0.5"}, "entry 2: share: expected a number above 0, at most 1"),
        ({"calls_per_second": {"HEAVY": 0}}, "entry 2: calls_per_second: expected whole numbers"),
        ({"calls_per_second": {secret: 1}}, "entry 2: calls_per_second: expected whole numbers"),
        ({"calls_per_day": {"HEAVY": 1.5}}, "entry 2: calls_per_day: expected whole numbers"),
        ({"oauth_url": ""}, "entry 2: oauth_url: expected a URL"),
        ({"oauth_url": "http://zoom.us/oauth"}, "entry 2: oauth_url: expected https; http only"),
        ({"api_url": "http://10.0.0.1/v2"}, "entry 2: api_url: expected https; http only"),
        ({"api_url": f"https://u:{secret}@zoom.us"}, "entry 2: api_url: expected https://host"),
        ({secret: "value"}, "entry 2: a member that an account cannot have"),
        (
            {"plan": "free", "share": 2},
            "entry 2: plan: expected pro or business_plus; entry 2: share: expected",
        ),
    ],
)
def test_a_wrong_entry_is_named_by_its_number_and_member(
    changes: dict[str, object], message: str
) -> None:
    assert message in problem(second, changed(**changes))


@pytest.mark.parametrize("entry", [None, "first", secret, 7, ["first"]])
def test_an_entry_that_is_no_object_is_named_by_its_number(entry: object) -> None:
    assert problem(first, entry).startswith("entry 2: ")


@pytest.mark.parametrize(
    "content",
    [b"{}", b"null", b'"text"', b"[]", json.dumps([first] * (max_accounts + 1)).encode()],
)
def test_anything_but_a_list_of_accounts_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match=f"expected a JSON list of 1 to {max_accounts} accounts"):
        parse_accounts(content)


@pytest.mark.parametrize("content", [b"", b"[", b"[{]", b"\xff\xfe", f'[{{"a": {secret}'.encode()])
def test_what_is_not_json_is_refused_with_its_position(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"Invalid JSON: .* at line 1") as caught:
        parse_accounts(content)
    assert secret not in str(caught.value)


def test_an_account_may_be_listed_once() -> None:
    assert problem(first, second, first) == "entries 1, 3: an account_id more than once"
