"""How content paths are put together, and how those of requests are read."""

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from makers.path_strategies import content_paths

from issbox.errors import InvalidValueError
from issbox.names import path_problem
from issbox.rules.entitlements.paths import content_path, is_uri, request_path

labels = st.text("abcXYZ019_-", min_size=1, max_size=8)


@pytest.mark.parametrize(
    ("path", "organization_prefix", "environment_prefix", "environment", "expected"),
    [
        ("/content/dist/os", "", "", "", "/content/dist/os"),
        ("content/dist/os/", "", "", "dev", "/content/dist/os"),
        ("/custom/tools", "/Acme/$env", "", "dev", "/Acme/dev/custom/tools"),
        ("/custom/tools", "/$org/$environment/", "", "dev", "/Acme/dev/custom/tools"),
        ("/custom/tools", "/Acme/$env", "", "", "/Acme/custom/tools"),
        ("/custom/tools", "/Acme/$env", "", "dev/cv1", "/Acme/dev/cv1/custom/tools"),
        ("/custom/tools", "/Acme", "/templates/$env", "dev", "/Acme/templates/dev/custom/tools"),
        ("/c/$releasever/$basearch/os", "/$organization", "", "", "/Acme/c/$releasever/$basearch/os"),
        ("/c/${releasever}/os", "", "", "", "/c/${releasever}/os"),
        ("/c/$env-tools", "", "", "dev", "/c/dev-tools"),
        ("/c/$environments/x", "", "", "dev", "/c/$environments/x"),
        ("//c///os//", "/Acme//", "", "", "/Acme/c/os"),
        ("/a b/ä/c++/50%/x:y", "", "", "", "/a%20b/%C3%A4/c%2B%2B/50%25/x%3Ay"),
        ("/custom/tools", "/Acme", "https://mirror.example.com/x", "", "https://mirror.example.com/x/custom/tools"),
        ("https://mirror.example.com/tools", "/Acme", "/pre", "dev", "https://mirror.example.com/tools"),
        ("https://mirror.example.com/$env/$basearch", "", "", "dev", "https://mirror.example.com/dev/$basearch"),
        ("/tools", "/Acme", "https://mirror.example.com/$org/", "dev", "https://mirror.example.com/Acme/tools"),
        ("/$env", "/$org", "", "dev", "/Acme/dev"),
    ],
)
def test_a_content_path_is_prefixes_and_path_with_what_the_server_knows(
    path: str, organization_prefix: str, environment_prefix: str, environment: str, expected: str
) -> None:
    found = content_path(
        path,
        organization="Acme",
        environment=environment,
        organization_prefix=organization_prefix,
        environment_prefix=environment_prefix,
    )
    assert found == expected


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("", "empty"),
        ("///", "empty"),
        ("/a/../b", "'..' segment"),
        ("/a/./b", "not normalized"),
        ("/a\\b", "backslash"),
        ("/a\nb", "control"),
        ("/a/\udc80", "UTF-8"),
        ("/el$releasever/os", "inside the segment"),
        ("/$releasever.z/os", "inside the segment"),
        ("/a/$/os", "inside the segment"),
        ("/a/$9/os", "inside the segment"),
        ("/" + "a" * 256, "too long"),
        ("gopher://mirror.example.com/x", "must begin with"),
        ("https:///x", "names no server"),
        ("/$env", "nothing is left"),
    ],
)
def test_odd_content_paths_are_refused(path: str, reason: str) -> None:
    with pytest.raises(InvalidValueError, match=reason):
        content_path(path, organization="Acme")


@pytest.mark.parametrize("environment", ["..", "a/../b", "$releasever", "a\x00"])
def test_an_environment_cannot_bring_in_what_a_path_may_not_have(environment: str) -> None:
    with pytest.raises(InvalidValueError):
        content_path("/custom/tools", organization="Acme", environment=environment, organization_prefix="/Acme/$env")


def test_what_was_filled_in_is_not_filled_in_again() -> None:
    with pytest.raises(InvalidValueError, match="organization"):
        content_path("/x", organization="$env", organization_prefix="/$org", environment="dev")


@given(path=content_paths, organization=labels, environment=labels)
def test_a_full_path_is_ascii_and_comes_back_from_a_request(path: str, organization: str, environment: str) -> None:
    full = content_path(path, organization=organization, environment=environment, organization_prefix="/$org/$env")
    assert full.isascii()
    assert request_path(full) == f"/{organization}/{environment}{path}"


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("/", "/"),
        ("//", "/"),
        ("/a", "/a"),
        ("/a//b/", "/a/b"),
        ("/a%20b/%C3%A4", "/a b/ä"),
        ("/a+b", "/a+b"),
        ("/a%2520b", "/a%20b"),
        ("/$x", "/$x"),
    ],
)
def test_the_path_of_a_request_is_decoded_once(raw: str, expected: str) -> None:
    assert request_path(raw) == expected


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("", "does not begin"),
        ("a/b", "does not begin"),
        ("http://host/a", "does not begin"),
        ("/a/../b", "'..' segment"),
        ("/a/%2e%2e/b", "'..' segment"),
        ("/a/%2E./b", "'..' segment"),
        ("/a/./b", "not normalized"),
        ("/a%2fb", "encoded slash"),
        ("/a%5cb", "backslash"),
        ("/a%00b", "control"),
        ("/a%0d%0ab", "control"),
        ("/a%zz", "no escape"),
        ("/a%2", "no escape"),
        ("/a%ff", "UTF-8"),
        ("/a\udc80", "UTF-8"),
        ("/" + "a/" * 600, "too long"),
    ],
)
def test_a_path_that_two_programs_could_read_differently_is_refused(raw: str, reason: str) -> None:
    with pytest.raises(InvalidValueError, match=reason):
        request_path(raw)


@given(st.text() | st.text("/.%2eEfF5cC0aä"))
def test_what_a_request_may_name_is_a_safe_path(raw: str) -> None:
    try:
        path = request_path("/" + raw)
    except InvalidValueError:
        return
    assert path == "/" or path_problem(path[1:]) is None
    assert request_path(quote(path)) == path


def test_whole_addresses_are_told_from_paths() -> None:
    assert is_uri("https://mirror.example.com/x")
    assert not is_uri("/https://x")
    assert not is_uri("/content://x")
