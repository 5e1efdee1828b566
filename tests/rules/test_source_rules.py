"""Where a product's repositories lie below a base, and what may be filled from where."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from issbox.model import Content, ProductKind, Repository, RepositoryKey, Upstream
from issbox.rules.content.sources import first_unlisted, join_url, listing_places, misfit, plan_sources, source_kind
from issbox.yum.address import parse_address

labels = st.from_regex(r"[A-Za-z0-9_-]{1,20}", fullmatch=True)
CUSTOM, REDHAT = ProductKind.CUSTOM, ProductKind.REDHAT


@pytest.mark.parametrize(
    ("base", "url"),
    [
        ("file:///media/usb/NAME", "file:///media/usb/NAME/custom/tools/base"),
        ("file:///media/usb/NAME/", "file:///media/usb/NAME/custom/tools/base"),
        ("https://me:secret@example.com/", "https://me:secret@example.com/custom/tools/base"),
        ("https://example.com?token=x", "https://example.com/custom/tools/base?token=x"),
        ("http://[::1]:8080/a%20b//", "http://[::1]:8080/a%20b/custom/tools/base"),
    ],
)
def test_a_repository_lies_at_its_path_below_the_base(base: str, url: str) -> None:
    assert join_url(base, "custom/tools/base") == url


@given(product=labels, repository=labels)
def test_the_path_of_a_repository_comes_through_as_it_is(product: str, repository: str) -> None:
    path = f"custom/{product}/{repository}"
    assert str(parse_address(join_url("file:///srv/x", path)).directory) == f"/srv/x/{path}"


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("https://cdn.redhat.com/anything", REDHAT),
        ("file:///media/usb/NAME/content/dist/rhel9/9/x86_64/baseos/os/", REDHAT),
        ("https://box/content/ACME/Library/content/beta/rhel9/9/x86_64/os", REDHAT),
        ("https://box/%63ontent/dist/rhel9/9/x86_64/os", REDHAT),
        ("file:///media/usb/NAME/custom/tools/base", CUSTOM),
        ("https://box/content/ACME/Library/custom/tools/base/", CUSTOM),
        ("https://box/content/dist/custom/tools/base/", REDHAT),
        ("https://mirror.example.com/tools/", None),
        ("file:///srv/content/distant/tools/", None),
        ("file:///srv/custom/tools", None),
        ("https://cdn.redhat.com.example.com/tools", None),
    ],
)
def test_places_that_show_what_they_hold(url: str, kind: ProductKind | None) -> None:
    assert source_kind(url) is kind
    assert (misfit(CUSTOM, url) is not None) == (kind is REDHAT)
    assert (misfit(REDHAT, url) is not None) == (kind is CUSTOM)


def test_a_plan_says_what_each_repository_had_and_gets() -> None:
    before = Upstream("https://old/", ca="old-ca", client_certificate="me", check_packages=True)
    content = Content("id", "tools_base", "Base", "/custom/tools/base")
    key = RepositoryKey("ACME", "tools", "base")
    repository = Repository(key, "Base", content, "custom/tools/base", upstream=before)
    (change,) = plan_sources("https://new", [repository], {"ca": None})
    assert change.before == before
    assert change.after == Upstream(
        "https://new/custom/tools/base", ca=None, client_certificate="me", check_packages=True
    )
    assert change.changed
    (again,) = plan_sources("https://new", [Repository(key, "B", content, repository.path, upstream=change.after)], {})
    assert not again.changed


def test_listings_lead_to_a_repository_or_say_that_it_is_not_there() -> None:
    path = "custom/tools/base"
    assert listing_places(path) == ["", "custom", "custom/tools"]
    full = {"": frozenset({"custom"}), "custom": frozenset({"tools"}), "custom/tools": frozenset({"base"})}
    assert first_unlisted(path, full) is None
    assert first_unlisted(path, full | {"custom/tools": frozenset({"other"})}) == path
    assert first_unlisted(path, full | {"custom": frozenset[str](), "custom/tools": None}) == "custom/tools"
    assert first_unlisted(path, {"": frozenset({"content"})}) == "custom"


@given(st.lists(labels, min_size=1, max_size=5))
def test_nothing_follows_from_listings_that_are_not_there(segments: list[str]) -> None:
    path = "/".join(segments)
    assert first_unlisted(path, dict.fromkeys(listing_places(path))) is None
