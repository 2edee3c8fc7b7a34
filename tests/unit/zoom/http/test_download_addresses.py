"""Where a download may lead."""

import pytest

from zoom.http.download_addresses import UnsafeAddressError, address_of

hosts = ("zoom.us", "zoomgov.com", "store.example", "127.0.0.1", "recorder")
base = "https://api-eu.zoom.us/v2"


def url_of(url: str) -> str:
    return address_of(url, base=base, hosts=hosts).url


@pytest.mark.parametrize(
    "url",
    [
        "https://zoom.us/rec/archive/download/xyz",
        "https://file.zoom.us/a.mp3?jwt=a.b.c&x=%2F%2B",
        "https://www.zoomgov.com/v2/contact_center/attachments/a%252Fb/download",
        "https://store.example:9443/a",
        "http://127.0.0.1:8080/a",
        "http://recorder/a",
        "https://a.b.zoom.us/a;b=c:d@e,f(g)!~*'$?q=[1]",
    ],
)
def test_an_allowed_address_stays_byte_for_byte(url: str) -> None:
    assert url_of(url) == url


@pytest.mark.parametrize(
    ("url", "meant"),
    [
        ("/v2/contact_center/a?b", "https://api-eu.zoom.us/v2/contact_center/a?b"),
        ("a?b", "https://api-eu.zoom.us/a?b"),
        ("//file.zoom.us/a", "https://file.zoom.us/a"),
        ("https://FILE.ZOOM.US/A", "https://file.zoom.us/A"),
        ("https://zoom.us:443", "https://zoom.us/"),
        ("https://zoom.us/a#b", "https://zoom.us/a"),
        ("https://zoom.us/a b\u00e9", "https://zoom.us/a%20b%C3%A9"),
        ("https://zoom.us/a\r\nX-Y: z", "https://zoom.us/aX-Y:%20z"),
        ("https://zoom.us/a\x0bb\x00?\x7f", "https://zoom.us/a%0Bb%00?%7F"),
    ],
)
def test_an_address_is_resolved_and_escaped(url: str, meant: str) -> None:
    assert url_of(url) == meant


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("", "expected the URL"),
        ("http://zoom.us/SECRET", "expected https, but the URL at zoom.us is http"),
        ("ftp://zoom.us/SECRET", "expected the URL"),
        ("file:///etc/SECRET", "expected the URL"),
        ("javascript:SECRET", "expected the URL"),
        ("https://u:SECRET@zoom.us/", "expected the URL"),
        ("https://zoom.us@evil.example/SECRET", "expected the URL"),
        ("https://zoom.us\\@evil.example/SECRET", "expected the URL"),
        ("https://evil.example/SECRET", "nothing may be downloaded from evil.example"),
        ("//evil.example/SECRET", "nothing may be downloaded from evil.example"),
        ("https://evilzoom.us/SECRET", "nothing may be downloaded from evilzoom.us"),
        ("https://zoom.us.evil.example/SECRET", "nothing may"),
        ("https://zoom.us./SECRET", "nothing may"),
        ("https://file.zoom.us:8443/SECRET", "nothing may"),
        ("https://x.127.0.0.1:22/SECRET", "nothing may"),
        ("https://169.254.169.254/SECRET", "nothing may"),
        ("https://[::1]/SECRET", "expected the URL"),
        ("https://[::1/SECRET", "expected the URL"),
        ("https://zoom.us:99999/SECRET", "expected the URL"),
        ("https://zoom%2eus/SECRET", "expected the URL"),
        ("https://zo\u00f6m.us/SECRET", "expected the URL"),
    ],
)
def test_an_address_elsewhere_is_refused_without_its_path(url: str, why: str) -> None:
    with pytest.raises(UnsafeAddressError, match=why) as caught:
        url_of(url)
    assert "secret" not in repr(caught.value).lower()


def test_an_address_shows_its_origin_alone() -> None:
    assert "SECRET" not in repr(address_of("https://zoom.us/SECRET", base=base, hosts=hosts))
