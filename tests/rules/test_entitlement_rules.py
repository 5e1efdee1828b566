"""Who gets what: exact lists with full paths, by priority, processor and product."""

from dataclasses import replace

import pytest
from hypothesis import given
from makers.catalogues import CONTENTS, catalogue, catalogues, held, profiles, scopes, snapshot, staged

from issbox.errors import InvalidValueError
from issbox.model import Catalogue, CertificateType, ContentOverride, HostProfile, Offer, PromotedContent
from issbox.rules.entitlements.arches import fits
from issbox.rules.entitlements.consumers import (
    check_environments,
    check_facts,
    check_override,
    layered,
    profile_of,
)
from issbox.rules.entitlements.entitlements import (
    contents,
    entry,
    granted_paths,
    offer_number,
    organization_paths,
    products,
)


def paths(known: Catalogue, *environments: str, scope: str | None = None, arches: tuple[str, ...] = ()) -> list[str]:
    return [each.path for each in contents(known, HostProfile(environments, arches), scope)]


def test_a_host_outside_any_environment_gets_the_products_present_content() -> None:
    known = catalogue({"A": "1"}, {"tools": "12", "apps": "3"})
    assert paths(known, scope="tools") == ["/Acme/Library/custom/c1", "/Acme/Library/custom/c2"]
    assert paths(known, scope="apps") == ["/Acme/Library/custom/c3"]
    assert len(paths(known)) == 3


def test_a_host_in_an_environment_gets_only_what_is_promoted_there() -> None:
    known = catalogue({"A": "13", "B": ""}, {"tools": "12", "apps": "3"})
    assert paths(known, "A") == ["/Acme/A/custom/c1", "/Acme/A/custom/c3"]
    assert paths(known, "A", scope="tools") == ["/Acme/A/custom/c1"]
    assert paths(known, "B") == []
    assert paths(known, "gone") == []


def test_the_first_environment_that_has_a_content_decides_all_about_it() -> None:
    known = catalogue({"A": "1", "B": "12"})
    known = staged(known, "B", content={**held("2"), "1": PromotedContent(snapshot("1", enabled=False), None)})
    assert paths(known, "A", "B") == ["/Acme/A/custom/c1", "/Acme/B/custom/c2"]
    assert paths(known, "B", "A") == ["/Acme/B/custom/c1", "/Acme/B/custom/c2"]
    assert [each.enabled for each in contents(known, HostProfile(("B", "A")), None)] == [False, True]
    assert [each.enabled for each in contents(known, HostProfile(("A", "B")), None)] == [True, True]


@pytest.mark.parametrize(
    ("default", "override", "enabled"), [(True, None, True), (True, False, False), (False, True, True)]
)
def test_the_enabled_override_of_a_promotion_wins(default: bool, override: bool | None, enabled: bool) -> None:
    promoted = PromotedContent(snapshot("1", enabled=default), override)
    known = staged(catalogue({"A": ""}), "A", content={"1": promoted})
    (content,) = contents(known, HostProfile(("A",)), None)
    assert content.enabled is enabled


def test_hosts_see_the_snapshot_and_not_the_present_content() -> None:
    known = catalogue({"A": "1"})
    changed = Offer("tools", "Tools", {"1": snapshot("1", path="/custom/elsewhere", label="other")})
    after = replace(known, products={"tools": changed})
    assert contents(after, HostProfile(("A",)), None) == contents(known, HostProfile(("A",)), None)


def test_what_a_manifest_took_away_stays_where_it_was_promoted() -> None:
    known = replace(catalogue({"A": "1"}), products={"tools": Offer("tools", "Tools", {}, frozenset("1"))})
    assert paths(known, "A", scope="tools") == ["/Acme/A/custom/c1"]
    assert paths(known, scope="tools") == []


def test_content_that_several_products_share_is_promoted_for_all_of_them() -> None:
    known = catalogue({"A": "1"}, {"tools": "1", "apps": "1"})
    assert paths(known, "A", scope="tools") == paths(known, "A", scope="apps") == paths(known, "A")
    assert [each.name for each in products(known, HostProfile(("A",)), None)] == ["Apps", "Tools"]


def test_a_product_of_which_nothing_is_promoted_is_named_without_content() -> None:
    known = catalogue({"A": ""})
    (product,) = products(known, HostProfile(("A",)), "tools")
    assert (product.name, product.content) == ("Tools", ())
    assert products(known, HostProfile(("A",)), None) == ()


def test_what_the_processor_cannot_use_is_left_out() -> None:
    known = staged(catalogue({"A": ""}), "A", content=held("1", "2", arches=("aarch64",)) | held("3"))
    assert paths(known, "A", arches=("x86_64",)) == ["/Acme/A/custom/c3"]
    assert len(paths(known, "A", arches=("aarch64",))) == len(paths(known, "A")) == 3


@pytest.mark.parametrize(
    ("content", "host", "fitting"),
    [
        ((), ("x86_64",), True),
        (("x86_64",), (), True),
        (("noarch",), ("s390x",), True),
        (("ALL",), ("s390x",), True),
        (("x86_64", "aarch64"), ("aarch64",), True),
        (("x86_64",), ("i686",), False),
        (("x86",), ("i686",), True),
        (("i386",), ("i686",), True),
        (("x86",), ("x86_64",), False),
        (("x86",), ("x86_64", "i686"), True),
        (("ppc64",), ("ppc64le",), False),
    ],
)
def test_arches(content: tuple[str, ...], host: tuple[str, ...], fitting: bool) -> None:
    assert fits(content, host) is fitting


def test_prefixes_of_organization_and_environment() -> None:
    known = staged(replace(catalogue({"A": "1"}), prefix="/root/$org"), "A", prefix="stage/$env")
    assert paths(known, "A") == ["/root/Acme/stage/A/custom/c1"]


def test_a_path_that_no_client_understands_costs_only_itself() -> None:
    known = staged(catalogue({"A": ""}), "A", content=held("1") | held("2", path="/custom/x$y"))
    assert paths(known, "A") == ["/Acme/A/custom/c1"]


def test_the_gpg_key_is_where_everybody_finds_it() -> None:
    known = staged(catalogue({"A": ""}), "A", content=held("1", gpg_key="vendor"))
    (content,) = contents(known, HostProfile(("A",)), None)
    assert content.gpg_url == "/Acme/gpg-keys/vendor"
    assert granted_paths(known, HostProfile(("A",)), None) == ("/Acme/A/custom/c1",)


def test_an_organization_wide_certificate_opens_the_environments() -> None:
    known = catalogue({"A": "1", "B": ""}, access=CertificateType.ORG_LEVEL)
    assert granted_paths(known, HostProfile(("B", "A")), None) == ("/Acme/A", "/Acme/B")
    assert granted_paths(replace(known, prefix="/all"), HostProfile(("B", "A")), None) == ("/all",), "once"
    assert granted_paths(known, HostProfile(), None) == ("/Acme/Library",)
    assert granted_paths(known, HostProfile(("A",)), "tools") == ("/Acme/A/custom/c1",)
    assert granted_paths(known, HostProfile(("A",), (), 1), None) == ("/Acme/A/custom/c1",)
    assert organization_paths(replace(known, prefix=""), HostProfile(("A",))) == (), "never the whole server"


def test_products_without_a_number_of_their_own_get_a_lasting_one() -> None:
    tools = Offer("tools", "Tools")
    assert offer_number("Acme", Offer("479", "RHEL")) == "479"
    assert offer_number("Acme", Offer("rhel", "RHEL", number="479")) == "479"
    assert offer_number("Acme", tools) == offer_number("Acme", tools) != offer_number("Other", tools)


@given(catalogues, profiles, scopes)
def test_contents_are_exactly_the_entries_there_are(known: Catalogue, profile: HostProfile, scope: str | None) -> None:
    entries = (entry(known, profile, scope, each) for each in CONTENTS)
    assert contents(known, profile, scope) == tuple(each for each in entries if each is not None)


@given(catalogues, profiles, scopes)
def test_nothing_is_granted_that_no_environment_of_the_host_holds(
    known: Catalogue, profile: HostProfile, scope: str | None
) -> None:
    if profile.environments:
        there = {
            each for label in profile.environments if label in known.stages for each in known.stages[label].content
        }
        assert {each.id for each in contents(known, profile, scope)} <= there


def test_facts_make_the_profile() -> None:
    facts = {"uname.machine": "x86_64", "supported_architectures": "x86_64, i686", "system.certificate_version": "3.2"}
    assert profile_of(facts, ["A"]) == HostProfile(("A",), ("i686", "x86_64"), 3)
    assert profile_of({"system.certificate_version": "30"}, []) == profile_of({}, []) == HostProfile((), (), 1)


def test_what_a_host_says_is_checked() -> None:
    assert check_facts({"a": "b"}) == {"a": "b"}
    for bad in ({"a": 1}, {"": "x"}, {"a": "x" * 9000}, {"a\0": "x"}, {str(each): "x" for each in range(2001)}):
        with pytest.raises(InvalidValueError):
            check_facts(bad)  # type: ignore[arg-type]  # what a program sends may be anything
    with pytest.raises(InvalidValueError, match="twice"):
        check_environments(["A", "A"])
    with pytest.raises(InvalidValueError):
        check_environments([str(each) for each in range(11)])


def test_overrides_of_the_host_stand_over_those_of_its_environments() -> None:
    own = [ContentOverride("c1", "enabled", "1")]
    first, second = [ContentOverride("c1", "enabled", "0")], [ContentOverride("c2", "enabled", "0")]
    assert layered(own, [first, second]) == [own[0], second[0]]
    assert check_override(ContentOverride("c1", "Enabled", "1")) == own[0]
    for bad in (("", "a", "b"), ("c", "name", "x"), ("c", "LABEL", "x"), ("c", "a", ""), ("c", "a", "x" * 2049)):
        with pytest.raises(InvalidValueError):
            check_override(ContentOverride(*bad))
