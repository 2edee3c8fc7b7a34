"""Which apps there are, as the JSON says it, and which of them a path belongs to."""

from base64 import b64encode
from ipaddress import ip_network

import orjson
import pytest

from ingest.apps.config import read_apps
from ingest.apps.registry import App, Apps, Credential

secret = "a-secret-not-to-be-seen"


def only_app(**members: object) -> App:
    (app,) = read_apps({"sales": {"secrets": [secret], **members}})
    return app


def problem(content: object) -> str:
    with pytest.raises(ValueError, match="app") as caught:
        read_apps(content)
    assert secret not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/webhooks/zoom", "default"),
        ("/webhooks/zoom/", "default"),
        ("/webhooks/zoom/default", "default"),
        ("/webhooks/zoom/default/", "default"),
        ("/webhooks/zoom/sales", "sales"),
        ("/webhooks/zoom/sales/", "sales"),
        ("/webhooks/zoom/sales//", None),
        ("/webhooks/zoom/Sales", None),
        ("/webhooks/zoom/other", None),
        ("/webhooks", None),
        ("", None),
    ],
)
def test_a_path_belongs_to_the_app_it_names_with_or_without_a_slash(
    path: str, name: str | None
) -> None:
    apps = Apps([App("default", (b"s",)), App("sales", (b"s",))])
    app = apps.get(path)
    assert (app.name if app else None) == name


def test_the_path_without_a_name_is_nobodys_where_no_app_is_the_default() -> None:
    assert Apps([App("sales", (b"s",))]).get("/webhooks/zoom") is None


def test_secrets_and_credentials_are_not_in_the_text_of_an_app() -> None:
    app = only_app(basic={"username": "zoom", "password": secret})
    assert secret not in repr(app)
    assert app.credential is not None
    assert repr(app.credential.value) not in repr(app)


def test_an_app_of_secrets_alone_lets_all_accounts_networks_and_headers_pass() -> None:
    assert list(read_apps({"sales": ["n" * 16, "o" * 16]})) == [
        App("sales", (b"n" * 16, b"o" * 16))
    ]


def test_a_list_of_secrets_and_an_object_with_it_are_the_same() -> None:
    assert list(read_apps({"a": ["x" * 16]})) == list(read_apps({"a": {"secrets": ["x" * 16]}}))


def test_apps_that_were_read_are_taken_as_they_are() -> None:
    apps = read_apps({"sales": [secret]})
    assert read_apps(apps) is apps


def test_secrets_are_their_bytes_in_utf_8() -> None:
    (app,) = read_apps({"sales": ["gehäuse-und-deckel"]})
    assert app.secrets == ("gehäuse-und-deckel".encode(),)


def test_an_object_names_accounts_and_networks() -> None:
    app = only_app(accounts=["A-1", "B-2"], networks=["192.0.2.0/24", "192.0.2.7", "2001:db8::/32"])
    assert app.accounts == {"A-1", "B-2"}
    assert app.networks == tuple(
        ip_network(text) for text in ("192.0.2.0/24", "192.0.2.7/32", "2001:db8::/32")
    )


def test_basic_authentication_is_expected_as_zoom_sends_it() -> None:
    app = only_app(basic={"username": "zoom", "password": "pass:wörd"})
    expected = b"Basic " + b64encode("zoom:pass:wörd".encode())
    assert app.credential == Credential(b"authorization", expected)


def test_a_header_is_expected_by_its_name_in_lower_case() -> None:
    app = only_app(header={"name": "X-Zoom-Pass", "value": secret})
    assert app.credential == Credential(b"x-zoom-pass", secret.encode())


@pytest.mark.parametrize("username", ["", "a:b"])
def test_a_user_that_basic_authentication_cannot_carry_is_refused(username: str) -> None:
    text = problem({"sales": {"secrets": [secret], "basic": _basic(username=username)}})
    assert text == "app 'sales' has a username that is empty or has a colon in it"


@pytest.mark.parametrize("name", ["", "x zoom", "x:zoom", "x-zööm", "x-zoom\n"])
def test_a_name_that_no_header_can_have_is_refused(name: str) -> None:
    text = problem({"sales": {"secrets": [secret], "header": {"name": name, "value": secret}}})
    assert text == "app 'sales' has a header whose name no header can have"


@pytest.mark.parametrize(
    "members",
    [
        {"basic": {"username": "zoom", "password": " "}},
        {"header": {"name": "x-zoom", "value": f"{secret}\n"}},
    ],
)
def test_a_credential_that_is_empty_or_was_pasted_with_blanks_is_refused(
    members: dict[str, object],
) -> None:
    text = problem({"sales": {"secrets": [secret], **members}})
    assert text == "app 'sales' has a secret that is empty or has blanks around it"


def test_two_credentials_are_refused() -> None:
    both = {"basic": _basic(), "header": {"name": "x-zoom", "value": secret}}
    text = problem({"sales": {"secrets": [secret], **both}})
    assert text == "app 'sales' has both basic and header: set one of the two"


@pytest.mark.parametrize(
    "network", ["192.0.2.1/24", "192.0.2.0/33", "2001:db8::1/32", "zoom.us", "", 7, None]
)
def test_a_network_that_is_none_is_refused_with_the_form(network: object) -> None:
    text = problem({"sales": {"secrets": [secret], "networks": ["198.51.100.0/24", network]}})
    assert "app 'sales' has a network of another form than 192.0.2.0/24" in text


def test_a_network_that_no_peer_would_be_compared_with_is_refused() -> None:
    text = problem({"sales": {"secrets": [secret], "networks": ["::ffff:192.0.2.0/120"]}})
    assert "write it as IPv4" in text


@pytest.mark.parametrize("account", ["", " A-1"])
def test_an_account_that_is_empty_or_was_pasted_with_blanks_is_refused(account: str) -> None:
    text = problem({"sales": {"secrets": [secret], "accounts": [account]}})
    assert text == "app 'sales' has an account that is empty or has blanks around it"


@pytest.mark.parametrize(
    ("members", "member"),
    [
        ({"secrets": []}, "secrets"),
        ({"secrets": secret}, "secrets"),
        ({"secrets": [secret], "accounts": []}, "accounts"),
        ({"secrets": [secret], "networks": []}, "networks"),
        ({"secrets": [secret], "accounts": "A-1"}, "accounts"),
        ({"secrets": [secret], "basic": {"username": "zoom"}}, "basic"),
        ({"secrets": [secret], "header": secret}, "header"),
    ],
)
def test_a_member_of_another_form_is_named_with_the_form(
    members: dict[str, object], member: str
) -> None:
    text = problem({"sales": members})
    assert text.startswith(f"app 'sales', {member}: expected a JSON object of at least one app")


@pytest.mark.parametrize(
    "content",
    [
        {"sales": {"secrets": ["x" * 16], secret: True}},
        {f"{secret} ": ["x" * 16]},
        orjson.dumps({"sales": ["x" * 16]})[:-1],
        b"\xff",
        b'{"sales": ["\\ud800"]}',
    ],
)
def test_what_is_no_word_of_ours_is_not_repeated(content: object) -> None:
    assert problem(content).startswith("expected a JSON object of at least one app")


def _basic(**changes: str) -> dict[str, str]:
    return {"username": "zoom", "password": secret, **changes}
