"""Who may do what: the whole table, and laws about limits to products."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from issbox.model import Grant, Role
from issbox.rules.people.permissions import (
    BOX_WIDE,
    MEANINGS,
    ROLES,
    Permission,
    Products,
    Reach,
    Verdict,
    allowed,
    covered,
    decide,
    refusal,
    roles_with,
)

TABLE = """
                      viewer exporter importer promoter org-admin super-admin
    box.read            x       x        x        x         x          x
    box.maintain                                                       x
    organization.manage                                                x
    user.manage                                                        x
    trust.manage                                                       x
    settings.manage                                                    x
    content.read        x       x        x        x         x          x
    content.manage                                          x          x
    content.export              x                           x          x
    content.import                       x                  x          x
    content.approve                      x                  x          x
    content.promote                               x         x          x
    environment.manage                                                 x
    consumer.manage                                         x          x
    certificate.manage                                      x          x
    audit.read                                              x          x
"""


def table() -> dict[tuple[Role, Permission], bool]:
    """Read the table: a cross belongs to the role whose name it stands under."""
    _, head, *lines = TABLE.splitlines()
    columns = {role: head.index(f" {role}") + 1 for role in Role}
    found = {}
    for line in lines:
        if not line.strip():
            continue
        permission = Permission(line.split()[0])
        crosses = [index for index, letter in enumerate(line) if letter == "x" and index >= min(columns.values())]
        for role in Role:
            below = range(columns[role], columns[role] + len(role))
            found[role, permission] = any(cross in below for cross in crosses)
    return found


@pytest.mark.parametrize("permission", Permission)
@pytest.mark.parametrize("role", Role)
def test_which_role_may_what(role: Role, permission: Permission) -> None:
    expected = table()[role, permission]
    grant = Grant(role) if role is Role.SUPER_ADMIN else Grant(role, "ACME")
    where = None if permission in BOX_WIDE else "ACME"
    assert allowed([grant], permission, where) is expected
    assert (role in roles_with(permission)) is expected
    if where is not None:
        assert allowed([grant], permission, where, ["Tools"]) is expected
        elsewhere = Verdict.ALLOWED if role is Role.SUPER_ADMIN else Verdict.HIDDEN
        assert decide([grant], permission, "Other") is elsewhere
        assert allowed([grant], permission) is (role is Role.SUPER_ADMIN)


def test_the_table_names_everything() -> None:
    assert set(table()) == {(role, permission) for role in Role for permission in Permission}
    assert sum(table().values()) == sum(map(len, ROLES.values()))
    assert set(MEANINGS) == set(Permission)


@pytest.mark.parametrize("permission", Permission)
def test_without_a_role_nothing_is_allowed(permission: Permission) -> None:
    assert decide([], permission) is Verdict.REFUSED
    assert decide([], permission, "ACME") is Verdict.HIDDEN
    assert not Reach((), permission).anywhere


def test_a_box_wide_permission_is_no_permission_of_an_organization() -> None:
    grants = [Grant(Role.VIEWER, "ACME")]
    assert not allowed(grants, Permission.BOX_READ, "ACME")
    assert allowed(grants, Permission.BOX_READ)


def test_a_limited_exporter_exports_only_its_products() -> None:
    grants = [Grant(Role.EXPORTER, "ACME", ("Base", "Tools")), Grant(Role.VIEWER, "ACME")]
    labels = ["Base", "Tools", "Other"]
    for size in range(1, 4):
        for chosen in combinations(labels, size):
            assert allowed(grants, Permission.CONTENT_EXPORT, "ACME", chosen) is ("Other" not in chosen)
            assert allowed(grants, Permission.CONTENT_READ, "ACME", chosen)
    assert not allowed(grants, Permission.CONTENT_EXPORT, "ACME")
    assert allowed([*grants, Grant(Role.ORG_ADMIN, "ACME")], Permission.CONTENT_EXPORT, "ACME")


LABELS = st.sampled_from(["a", "b", "c", "d"])
ORGANIZATIONS = st.sampled_from(["A", "B"])
GRANTS = st.lists(
    st.one_of(
        st.builds(
            Grant,
            st.sampled_from([role for role in Role if role is not Role.SUPER_ADMIN]),
            ORGANIZATIONS,
            st.lists(LABELS, unique=True, max_size=3).map(sorted).map(tuple),
        ),
        st.just(Grant(Role.SUPER_ADMIN)),
    ),
    max_size=4,
)


@given(grants=GRANTS, permission=st.sampled_from(Permission), organization=ORGANIZATIONS, products=st.sets(LABELS))
def test_what_is_allowed_is_what_single_grants_add_up_to(
    grants: list[Grant], permission: Permission, organization: str, products: set[str]
) -> None:
    def gives(grant: Grant, product: str | None) -> bool:
        if grant.role is Role.SUPER_ADMIN:
            return True
        here = grant.organization == organization and permission in ROLES[grant.role] and permission not in BOX_WIDE
        return here and (not grant.products or product in grant.products)

    wanted: list[str | None] = [*products] or [None]
    expected = all(any(gives(grant, product) for grant in grants) for product in wanted)
    assert allowed(grants, permission, organization, products) is expected
    if not expected:
        known = any(grant.organization == organization for grant in grants)
        assert decide(grants, permission, organization, products) is (Verdict.REFUSED if known else Verdict.HIDDEN)


@given(grants=GRANTS, more=GRANTS, permission=st.sampled_from(Permission), products=st.sets(LABELS))
def test_another_grant_never_takes_anything_away(
    grants: list[Grant], more: list[Grant], permission: Permission, products: set[str]
) -> None:
    for where in (None, "A"):
        if allowed(grants, permission, where, products):
            assert allowed(grants + more, permission, where, products)


@given(grants=GRANTS, permission=st.sampled_from(Permission), organization=ORGANIZATIONS)
def test_lists_show_what_may_be_done(grants: list[Grant], permission: Permission, organization: str) -> None:
    seen = Reach(tuple(grants), permission).products(organization)
    for label in "abcd":
        assert (label in seen) is allowed(grants, permission, organization, [label])
    assert seen.cover([]) is allowed(grants, permission, organization)
    assert seen == covered(grants, permission, organization)
    if any(label in seen for label in "abcd"):
        assert seen
        assert Reach(tuple(grants), permission).anywhere


def test_no_products_are_not_all_products() -> None:
    assert not Products(frozenset())
    assert not Products(frozenset()).cover([])
    assert Products(None)
    assert Products(None).cover([])


def test_a_refusal_says_who_what_where_and_which_role_it_takes() -> None:
    assert refusal("ann", [], Permission.USER_MANAGE) == (
        "the user ann may not manage users on this box (user.manage): it takes the role super-admin"
    )
    assert refusal("ann", [Grant(Role.VIEWER, "ACME")], Permission.CONTENT_EXPORT, "ACME", ["T", "B"]) == (
        "the user ann may not export content of the products B, T in the organization ACME (content.export): "
        "it takes the role exporter, org-admin or super-admin"
    )
    limited = [Grant(Role.EXPORTER, "ACME", ("T",))]
    assert refusal("ann", limited, Permission.CONTENT_EXPORT, "ACME", ["B"]).endswith(
        "may not export content of the product B in the organization ACME (content.export): "
        "its roles there cover only the product T"
    )


def test_an_organization_may_hand_its_environments_to_its_org_admins() -> None:
    permission = Permission.ENVIRONMENT_MANAGE
    handed = Grant(Role.ORG_ADMIN, "acme", environments=True)
    assert decide([handed], permission, "acme") is Verdict.ALLOWED
    assert decide([handed], permission, "other") is Verdict.HIDDEN
    assert Reach((handed,), permission).anywhere
    limited = Grant(Role.ORG_ADMIN, "acme", ("tools",), environments=True)
    for grant in (limited, Grant(Role.ORG_ADMIN, "acme")):
        assert decide([grant], permission, "acme") is Verdict.REFUSED
    assert decide([handed], Permission.ORGANIZATION_MANAGE) is Verdict.REFUSED
