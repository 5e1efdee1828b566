"""Locations of Red Hat content, and what content paths become."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from issbox.errors import InvalidValueError
from issbox.model import REDHAT_CDN_URL, CdnLocation, CdnServer, CdnType, CdnUpstream
from issbox.names import path_problem
from issbox.rules.content.cdn import (
    LocationChange,
    base_url,
    changed_location,
    check_location,
    fill,
    fits_variable,
    lies_below,
    template_segments,
)

DEFAULT = CdnLocation("acme")
BOX1 = LocationChange(type=CdnType.NETWORK_SYNC, url="https://box1:8443/", organization="ACME")


def test_red_hats_own_cdn_is_the_default() -> None:
    assert check_location(DEFAULT) == DEFAULT
    assert base_url(DEFAULT) == REDHAT_CDN_URL
    assert DEFAULT.shows_manifest


def test_another_type_keeps_nothing_of_the_one_before() -> None:
    before = CdnLocation("acme", CdnType.CUSTOM_CDN, "https://cdn/x", "ca", "client", "http://proxy", False)
    after = changed_location(before, BOX1)
    assert (after.ca, after.client_certificate, after.proxy) == (None, None, None)
    assert after.shows_manifest
    assert base_url(check_location(after)) == "https://box1:8443/content/ACME/Library"
    assert changed_location(before, LocationChange(type=CdnType.REDHAT_CDN)) == DEFAULT


def test_a_certificate_of_its_own_is_shown_in_place_of_the_manifests() -> None:
    own = changed_location(DEFAULT, LocationChange(client_certificate="mine", ca="theirs"))
    assert (own.client_certificate, own.shows_manifest, own.ca) == ("mine", False, "theirs")
    assert changed_location(own, LocationChange(ca="")).ca is None
    both = changed_location(own, LocationChange(client_certificate="", shows_manifest=True))
    assert (both.client_certificate, both.shows_manifest) == (None, True)


@pytest.mark.parametrize(
    ("upstream", "base"),
    [
        (CdnUpstream("ACME", "prod"), "https://box1/content/ACME/prod"),
        (CdnUpstream("ACME", server=CdnServer.KATELLO), "https://box1/pulp/content/ACME/Library"),
        (CdnUpstream("ACME", "qa", "base", CdnServer.KATELLO), "https://box1/pulp/content/ACME/qa/base"),
    ],
)
def test_content_of_another_box_lies_in_its_environment(upstream: CdnUpstream, base: str) -> None:
    location = CdnLocation("acme", CdnType.NETWORK_SYNC, "https://box1", upstream=upstream)
    assert base_url(check_location(location)) == base


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        (CdnLocation("a", CdnType.REDHAT_CDN, "https://cdn.example.com"), "Red Hat's CDN is"),
        (CdnLocation("a", CdnType.REDHAT_CDN, "http://cdn.redhat.com"), "https"),
        (CdnLocation("a", CdnType.CUSTOM_CDN, None), "needs --url"),
        (CdnLocation("a", CdnType.CUSTOM_CDN, "ftp://x"), "must begin with"),
        (CdnLocation("a", CdnType.CUSTOM_CDN, "file:///x", shows_manifest=True), "without certificates"),
        (CdnLocation("a", CdnType.EXPORT_SYNC, "file:///x", "ca", shows_manifest=False), "without a CA"),
        (CdnLocation("a", CdnType.EXPORT_SYNC, "https://x", shows_manifest=False), "file://"),
        (CdnLocation("a", CdnType.NETWORK_SYNC, "https://x"), "--upstream-organization-label"),
        (CdnLocation("a", CdnType.NETWORK_SYNC, "http://x", upstream=CdnUpstream("A")), "https"),
        (CdnLocation("a", CdnType.NETWORK_SYNC, "https://x", upstream=CdnUpstream("../A")), "label"),
        (CdnLocation("a", CdnType.NETWORK_SYNC, "https://x", upstream=CdnUpstream("A", view="v")), "without content"),
        (CdnLocation("a", CdnType.CUSTOM_CDN, "https://x", upstream=CdnUpstream("A")), "belongs to type network-sync"),
    ],
)
def test_what_does_not_belong_together_is_refused(location: CdnLocation, reason: str) -> None:
    with pytest.raises(InvalidValueError) as refused:
        check_location(location)
    assert reason in str(refused.value)


def test_an_export_may_lie_anywhere_or_nowhere() -> None:
    nowhere = changed_location(DEFAULT, LocationChange(type=CdnType.EXPORT_SYNC))
    assert base_url(check_location(nowhere)) is None
    there = changed_location(nowhere, LocationChange(url="file:///mnt/export"))
    assert base_url(check_location(there)) == "file:///mnt/export"
    with pytest.raises(InvalidValueError, match="upstream-organization-label"):
        changed_location(there, LocationChange(view="v"))


@pytest.mark.parametrize(
    ("url", "base", "below"),
    [
        ("https://box/a/b/c", "https://box/a/b", True),
        ("https://box/a/bc", "https://box/a/b", False),
        ("https://box:1/a/b", "https://box/a", False),
        ("http://box/a/b", "https://box/a", False),
        ("https://box/a/b?token", "https://box/a", False),
        ("https://cdn.redhat.com/content/x", "https://cdn.redhat.com", True),
        (None, "https://box", False),
        ("https://box/x", None, False),
    ],
)
def test_what_lies_below_a_base(url: str | None, base: str | None, below: bool) -> None:
    assert lies_below(url, base) is below


RHEL = "/content/dist/rhel9/$releasever/$basearch/baseos/os"


def test_a_content_path_is_filled_in() -> None:
    assert fill(RHEL, {"releasever": "9.4", "basearch": "x86_64"}) == "content/dist/rhel9/9.4/x86_64/baseos/os"
    assert fill("/content/dist/tools/os", {}) == "content/dist/tools/os"
    assert fill("/content/${releasever}/os", {"releasever": "9"}) == "content/9/os"


@pytest.mark.parametrize(
    ("template", "values", "reason"),
    [
        (RHEL, {"releasever": "9"}, "needs a value for basearch"),
        (RHEL, {}, "needs a value for releasever, basearch"),
        (RHEL, {"releasever": "9", "basearch": "x86_64", "x": "y"}, "has no x"),
        ("/content/os", {"releasever": "9"}, "has no releasever"),
        (RHEL, {"releasever": "..", "basearch": "x86_64"}, "cannot be the releasever"),
        (RHEL, {"releasever": "9/../../x", "basearch": "x86_64"}, "cannot be the releasever"),
        ("/content/../x", {}, "no repository"),
        ("/content/a$b/x", {"b": "1"}, "no repository"),
        ("https://elsewhere/x", {}, "no repository"),
        ("", {}, "no repository"),
    ],
)
def test_what_is_missing_or_too_much_is_named(template: str, values: dict[str, str], reason: str) -> None:
    with pytest.raises(InvalidValueError) as refused:
        fill(template, values)
    assert reason in str(refused.value)


@given(template=st.text(max_size=60), value=st.text(max_size=20))
def test_what_is_filled_in_is_always_a_safe_path(template: str, value: str) -> None:
    segments = template_segments(template)
    names = {"a"} if segments is not None and "$a" in segments else set()
    try:
        path = fill(template, dict.fromkeys(names, value))
    except InvalidValueError:
        return
    assert path_problem(path) is None
    assert "$" not in path


def test_only_architectures_of_the_content_fit() -> None:
    assert fits_variable("basearch", "x86_64", ["x86_64"])
    assert not fits_variable("basearch", "s390x", ["x86_64"])
    assert fits_variable("basearch", "i386", ["x86"])
    assert fits_variable("basearch", "s390x", [])
    assert fits_variable("releasever", "9", ["x86_64"])
