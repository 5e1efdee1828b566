"""What the paths of requests mean, and which are refused before anything is compared with them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from issbox.errors import InvalidValueError
from issbox.model import ViewVersionName
from issbox.names import path_problem
from issbox.rules.serving import GpgKeyPlace, Place, parse_listen, parse_site, place_of, served_path


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("/content/acme/dev/a.rpm", "/content/acme/dev/a.rpm"),
        ("/content/acme/dev/", "/content/acme/dev"),
        ("/content/acme/dev/a.rpm?ssl_clientkey=/etc/key//../x%", "/content/acme/dev/a.rpm"),
        ("/content/acme/dev/c%2B%2B-1.rpm", "/content/acme/dev/c++-1.rpm"),
        ("/content/acme/dev/c++-1~rc1^2.rpm", "/content/acme/dev/c++-1~rc1^2.rpm"),
        ("/content/%61cme/dev", "/content/acme/dev"),
        ("/content/acme/dev/%C3%A4", "/content/acme/dev/ä"),
        ("/content/acme/dev/50%25", "/content/acme/dev/50%"),
        ("/", "/"),
    ],
)
def test_a_path_is_decoded_once_and_has_no_query(target: str, path: str) -> None:
    assert served_path(target) == path


@pytest.mark.parametrize(
    "target",
    [
        "",
        "content/acme",
        "https://box/content/acme",
        "*",
        "//content/acme",
        "/content//acme",
        "/content/acme//",
        "/content/./acme",
        "/content/../acme",
        "/content/acme/..",
        "/content/%2e%2e/acme",
        "/content/.%2E/acme",
        "/content/acme/a%2erpm",
        "/content%2facme",
        "/content%2Facme",
        "/content/a%5cb",
        "/content/a\\b",
        "/content/a%00",
        "/content/a%0a",
        "/content/a%",
        "/content/a%2",
        "/content/a%zz",
        "/content/%252e%252e/acme",
        "/content/%25%32%65",
        "/content/%c0%ae%c0%ae/acme",
        "/content/%c0%af",
        "/content/%ff",
        "/content/a#b",
        "/content/" + "a" * 256,
        "/content/" + "a/" * 600,
    ],
)
def test_what_is_written_oddly_is_refused(target: str) -> None:
    with pytest.raises(InvalidValueError):
        served_path(target)


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40) | st.text("/.%2eEfF5cC0#?\\ab", max_size=30))
def test_what_is_served_is_one_safe_path_that_decodes_to_itself(text: str) -> None:
    try:
        path = served_path(f"/{text}")
    except InvalidValueError:
        return
    assert path == "/" or path_problem(path[1:]) is None
    assert "//" not in text.split("?", maxsplit=1)[0]
    try:
        assert served_path(path.replace("%", "%25").replace("?", "%3F").replace("#", "%23")) == path
    except InvalidValueError:
        assert "%" in path


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("/content/acme/dev/custom/t/b", Place("acme", "dev", "custom/t/b")),
        ("/content/acme/dev", Place("acme", "dev", "")),
        ("/content/acme/content_views/web/3.0/x/y", Place("acme", "", "x/y", ViewVersionName("web", "3.0"))),
        ("/content/acme/content_views/web/3.0", Place("acme", "", "", ViewVersionName("web", "3.0"))),
        ("/content/acme/gpg-keys/key", GpgKeyPlace("acme", "key")),
    ],
)
def test_a_path_names_a_place(path: str, place: Place | GpgKeyPlace) -> None:
    assert place_of(path) == place
    if isinstance(place, Place):
        assert place.full_path == path.removeprefix("/content")
        assert place.bare_path == f"/{place.inner}"


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/content",
        "/content/acme",
        "/Content/acme/dev/x",
        "/other/acme/dev/x",
        "/content/a.b/dev/x",
        "/content/acme/d v/x",
        "/content/acme/gpg-keys",
        "/content/acme/gpg-keys/a/b",
        "/content/acme/content_views/web",
        "/content/acme/content_views/web/3",
        "/content/acme/content_views/web/03.0/x",
        "/content/acme/content_views/web/3.0.1/x",
        "/content/acme/content_views/w b/3.0/x",
    ],
)
def test_other_paths_name_nothing(path: str) -> None:
    assert place_of(path) is None


def test_sites_and_addresses_are_read_or_refused() -> None:
    assert parse_site("CDN.Example.com=ACME/dev").host == "cdn.example.com"
    assert parse_site("[::1]:8444=ACME/dev").host == "[::1]:8444"
    assert parse_listen("[::1]:8444") == ("::1", 8444)
    for text in ("", "=", "a=b", "a=b/c/d", "a b=c/d", "a=b/c d", "a=/d", "=b/d"):
        with pytest.raises(InvalidValueError):
            parse_site(text)
    for text in ("", ":1", "host", "host:", "host:x", "a b:1", "host:65536", "::1:80"):
        with pytest.raises(InvalidValueError):
            parse_listen(text)
