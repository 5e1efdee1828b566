"""The request about environment content, task by task; see `test_environment_content.py` for the rest of it."""

from dataclasses import replace
from pathlib import Path

import pytest
from makers.boxes import KEY
from makers.fleets import APPS, Fleet, make_fleet

from issbox.errors import NotFoundError, NotPermittedError
from issbox.model import LIBRARY, Consumer, RepositoryKey, Role, User
from issbox.rules.environments.promoted_states import ContentState
from issbox.workflows.certificates import certificates, revocation_lists
from issbox.workflows.certificates.following import certificates_follow
from issbox.workflows.content import catalog, repositories
from issbox.workflows.content.synchronize import synchronize
from issbox.workflows.context import Context
from issbox.workflows.environments import contents, environments, promoting

BASE = "/acme/dev/custom/tools/base"
MORE = RepositoryKey("acme", "more", "extra")


@pytest.fixture
def fleet(tmp_path: Path) -> Fleet:
    return make_fleet(tmp_path)


def as_user(fleet: Fleet, name: str, role: Role, product: str | None = None) -> Context:
    """Give the surroundings of a new user with a role in acme, for all of it or a product."""
    with fleet.ctx.store.session(), fleet.ctx.store.transaction():
        fleet.ctx.store.users.create(User(name, name, fleet.ctx.clock()))
        fleet.ctx.store.grants.add(name, role, "acme", product)
    return fleet.ctx.acting_as(name, "local")


def share_content(fleet: Fleet) -> None:
    """Let the product `more` have the content of tools/base as well, as products of a manifest do."""
    catalog.create_product(fleet.ctx, organization="acme", label="more", name="More")
    url = fleet.gap.upstream.as_uri()
    repositories.create_repository(fleet.ctx, organization="acme", product="more", label="extra", name="Extra", url=url)
    synchronize(fleet.ctx, MORE)
    with fleet.ctx.store.session(), fleet.ctx.store.transaction():
        content = fleet.ctx.store.repositories.get(KEY).content
        fleet.ctx.store.repositories.update(MORE, content=content)


def change_path(fleet: Fleet, path: str) -> None:
    """Give a content another URL, as an import may."""
    ctx = fleet.ctx
    with ctx.store.session(), ctx.store.transaction(), certificates_follow(ctx, "acme"):
        content = replace(ctx.store.repositories.get(KEY).content, path=path)
        ctx.store.repositories.update(KEY, content=content)


def states(fleet: Fleet, key: RepositoryKey = KEY) -> tuple[ContentState, ...]:
    """Say how a content stands to dev."""
    label = repositories.get_repository(fleet.ctx, key).content.label
    (found,) = [each for each in contents.list_statuses(fleet.ctx, "acme", "dev") if each.label == label]
    return found.states


def test_task_1_environments_are_paths_from_library_on(fleet: Fleet) -> None:
    environments.create_environment(fleet.ctx, organization="acme", label="qa", name="QA", prior=LIBRARY)
    paths = environments.list_paths(fleet.ctx, "acme")
    assert [[each.label for each in path] for path in paths] == [[LIBRARY, "dev", "prod"], [LIBRARY, "qa"]]


def test_task_1_1_a_box_that_uses_none_needs_none(fleet: Fleet) -> None:
    for label in ("prod", "dev"):
        environments.delete_environment(fleet.ctx, "acme", label)
    assert [each.label for each in environments.list_environments(fleet.ctx, "acme")] == [LIBRARY]
    assert len(fleet.paths(fleet.host("out1"))) == 2


def test_task_1_2_environments_have_an_organization_an_id_and_a_name_that_may_change(fleet: Fleet) -> None:
    made = environments.create_environment(
        fleet.ctx, organization="acme", label="qa", name="QA", prior=LIBRARY, id_="given-by-katello", type_="Stage"
    )
    assert (made.organization, made.id, made.type) == ("acme", "given-by-katello", "stage")
    renamed = environments.update_environment(fleet.ctx, "acme", "qa", name="Quality")
    assert (renamed.id, renamed.label, renamed.name) == ("given-by-katello", "qa", "Quality")
    assert environments.get_environment(fleet.ctx, "acme", "dev").environment.id, "made when it is not given"


def test_task_1_3_the_label_is_in_paths_and_never_changes(fleet: Fleet) -> None:
    host = fleet.host("dev1", "dev")
    fleet.promote(KEY, "dev")
    serial = fleet.certificate(host).serial
    environments.update_environment(fleet.ctx, "acme", "dev", name="Another name")
    assert (fleet.stale(host), fleet.paths(host), fleet.certificate(host).serial) == (set(), [BASE], serial)


def test_task_2_1_environments_are_for_super_admins(fleet: Fleet) -> None:
    ctx = as_user(fleet, "ann", Role.ORG_ADMIN)
    with pytest.raises(NotPermittedError):
        environments.create_environment(ctx, organization="acme", label="qa", name="QA", prior=LIBRARY)
    with pytest.raises(NotPermittedError):
        environments.delete_environment(ctx, "acme", "dev")
    assert [each.label for each in environments.list_environments(ctx, "acme")] == [LIBRARY, "dev", "prod"]


def test_task_2_1_unless_the_organization_hands_them_to_its_org_admins(fleet: Fleet) -> None:
    ann, vic = as_user(fleet, "ann", Role.ORG_ADMIN), as_user(fleet, "vic", Role.PROMOTER)
    catalog.update_organization(fleet.ctx, "acme", hands_over_environments=True)
    environments.create_environment(ann, organization="acme", label="qa", name="QA", prior=LIBRARY)
    environments.update_environment(ann, "acme", "qa", description="of Ann")
    environments.delete_environment(ann, "acme", "qa")
    for ctx in (vic, as_user(fleet, "lim", Role.ORG_ADMIN, "tools")):
        with pytest.raises(NotPermittedError):
            environments.create_environment(ctx, organization="acme", label="qa", name="QA", prior=LIBRARY)
    catalog.create_organization(fleet.ctx, label="other", name="Other")
    with pytest.raises(NotFoundError):
        environments.create_environment(ann, organization="other", label="qa", name="QA", prior=LIBRARY)
    with pytest.raises(NotPermittedError):
        catalog.update_organization(ann, "acme", hands_over_environments=True)
    catalog.update_organization(fleet.ctx, "acme", hands_over_environments=False)
    with pytest.raises(NotPermittedError):
        environments.delete_environment(ann, "acme", "dev")


def test_task_3_a_promotion_keeps_the_content_as_it_was(fleet: Fleet) -> None:
    fleet.promote(KEY, "dev")
    repositories.update_repository(fleet.ctx, KEY, arches=["x86_64"])
    (held,) = environments.get_environment(fleet.ctx, "acme", "dev").content
    assert held.snapshot is not None
    assert (held.number, held.snapshot.path, held.snapshot.arches) == (1, "/custom/tools/base", ())
    assert repositories.get_repository(fleet.ctx, KEY).content.arches == ("x86_64",)


def test_task_3_1_one_content_goes_into_one_environment(fleet: Fleet) -> None:
    fleet.promote(KEY, "dev")
    found = {
        label: [each.repository.key for each in environments.get_environment(fleet.ctx, "acme", label).content]
        for label in ("dev", "prod")
    }
    assert found == {"dev": [KEY], "prod": []}


def test_task_3_2_every_product_that_has_the_content_gets_it(fleet: Fleet) -> None:
    share_content(fleet)
    tools, more = (fleet.host(product, "dev", products=(product,)) for product in ("tools", "more"))
    fleet.promote(KEY, "dev")
    assert fleet.paths(tools) == fleet.paths(more) == [BASE]


def test_task_3_3_a_promotion_overrides_enabled(fleet: Fleet) -> None:
    host = fleet.host("dev1", "dev")
    fleet.promote(KEY, "dev")
    (status,) = [each for each in contents.list_statuses(fleet.ctx, "acme", "dev") if not each.states]
    first = fleet.certificate(host)
    assert first.payload is not None
    assert first.payload.content[0].enabled
    contents.enable_content(fleet.ctx, "acme", "dev", status.label, enabled=False)
    assert fleet.stale(host) == {"dev1"}
    second = fleet.certificate(host)
    assert second.payload is not None
    assert not second.payload.content[0].enabled
    fleet.gap.change_upstream(3)
    synchronize(fleet.ctx, KEY)
    fleet.promote(KEY, "dev", 2)
    assert fleet.certificate(host).serial == second.serial, "the override outlives the next promotion"


def test_task_4_1_promoting_is_for_org_admins_and_promoters_of_the_organization(fleet: Fleet) -> None:
    plan = promoting.plan_repository_promotion(fleet.ctx, KEY, 1, "dev")
    with pytest.raises(NotPermittedError):
        promoting.promote(as_user(fleet, "vic", Role.VIEWER), plan)
    catalog.create_organization(fleet.ctx, label="other", name="Other")
    with fleet.ctx.store.session(), fleet.ctx.store.transaction():
        fleet.ctx.store.users.create(User("out", "Out", fleet.ctx.clock()))
        fleet.ctx.store.grants.add("out", Role.ORG_ADMIN, "other")
    with pytest.raises(NotFoundError):
        promoting.promote(fleet.ctx.acting_as("out", "local"), plan)
    assert promoting.promote(as_user(fleet, "ann", Role.ORG_ADMIN), plan) is not None


def test_task_5_the_first_environment_that_has_a_content_decides(fleet: Fleet) -> None:
    host = fleet.host("both", "prod", "dev")
    fleet.promote(KEY, "dev")
    assert fleet.paths(host) == [BASE]
    fleet.promote(KEY, "prod")
    assert fleet.paths(host) == ["/acme/prod/custom/tools/base"]
    fleet.demote(KEY, "dev")
    assert fleet.stale(host) == set(), "hidden"


def test_task_5_1_nothing_found_is_an_empty_certificate_and_no_failure(fleet: Fleet) -> None:
    host = fleet.host("dev1", "dev")
    assert fleet.paths(host) == []
    fleet.promote(KEY, "dev")
    assert fleet.paths(host) == [BASE]


def test_task_5_2_certificates_look_at_the_hosts_environments(fleet: Fleet) -> None:
    inside, outside = fleet.host("dev1", "dev"), fleet.host("out1")
    fleet.promote(KEY, "dev")
    assert fleet.paths(inside) == [BASE]
    assert "/acme/Library/custom/tools/apps" in fleet.paths(outside)


def test_task_6_promoting_and_demoting_regenerate_exactly_what_they_must(fleet: Fleet) -> None:
    dev, prod, both = fleet.host("dev1", "dev"), fleet.host("prod1", "prod"), fleet.host("both", "prod", "dev")
    hosts: list[Consumer] = [dev, prod, both]
    for host in hosts:
        fleet.certificate(host)
    fleet.promote(KEY, "dev")
    assert fleet.stale(*hosts) == {"dev1", "both"}
    old = {fleet.certificate(host).serial for host in hosts}
    fleet.promote(KEY, "prod")
    assert fleet.stale(*hosts) == {"prod1", "both"}
    for host in hosts:
        fleet.certificate(host)
    fleet.demote(KEY, "dev")
    assert fleet.stale(*hosts) == {"dev1"}, "for the other one, prod decides"
    assert fleet.paths(dev) == []
    assert len(old & set(revocation_lists.revoked_serials(fleet.ctx))) == 3


def test_task_6_1_only_hosts_of_the_environment_are_looked_at(fleet: Fleet) -> None:
    hosts = [fleet.host(name, *places) for name, places in (("d", ("dev",)), ("p", ("prod",)), ("o", ()))]
    for host in hosts:
        fleet.certificate(host)
    fleet.promote(KEY, "dev")
    assert fleet.stale(*hosts) == {"d"}


def test_task_6_2_only_entitlements_to_products_with_the_content_are_affected(fleet: Fleet) -> None:
    catalog.create_product(fleet.ctx, organization="acme", label="more", name="More")
    tools, more = (fleet.host(product, "dev", products=(product,)) for product in ("tools", "more"))
    for host in (tools, more):
        fleet.certificate(host)
    fleet.promote(KEY, "dev")
    assert fleet.stale(tools, more) == {"tools"}


def test_task_6_3_regenerated_once_for_many_promotions_and_the_old_one_is_revoked(fleet: Fleet) -> None:
    host = fleet.host("dev1", "dev")
    old = fleet.certificate(host).serial
    for key in (KEY, APPS):
        fleet.promote(key, "dev")
    new = fleet.certificate(host).serial
    assert (fleet.certificate(host).serial, new != old) == (new, True)
    assert revocation_lists.revoked_serials(fleet.ctx) == [old]


def test_task_7_a_changed_product_regenerates_nothing_before_it_is_promoted(fleet: Fleet) -> None:
    dev, outside = fleet.host("dev1", "dev"), fleet.host("out1")
    fleet.promote(KEY, "dev")
    fleet.certificate(dev)
    fleet.certificate(outside)
    repositories.create_repository(
        fleet.ctx, organization="acme", product="tools", label="new", name="New", url=fleet.gap.upstream.as_uri()
    )
    repositories.update_repository(fleet.ctx, KEY, arches=["x86_64"])
    catalog.update_product(fleet.ctx, "acme", "tools", name="Another name")
    assert fleet.stale(dev, outside) == {"out1"}
    (status,) = [
        each for each in contents.list_statuses(fleet.ctx, "acme", "dev") if ContentState.CHANGED in each.states
    ]
    assert status.changed == ("arches",)


def test_task_7_1_marking_twice_changes_nothing_and_what_is_the_same_again_keeps_its_certificate(fleet: Fleet) -> None:
    host = fleet.host("dev1", "dev")
    fleet.promote(KEY, "dev")
    serial = fleet.certificate(host).serial
    fleet.demote(KEY, "dev")
    assert fleet.stale(host) == {"dev1"}
    fleet.promote(KEY, "dev")
    assert fleet.certificate(host).serial == serial


def test_task_7_2_hosts_in_no_environment_have_what_is_there_now(fleet: Fleet) -> None:
    host = fleet.host("out1")
    fleet.certificate(host)
    repositories.update_repository(fleet.ctx, KEY, arches=["aarch64"])
    assert fleet.stale(host) == {"out1"}
    assert fleet.paths(host) == ["/acme/Library/custom/tools/apps"]


def test_task_7_3_added_content_is_available_and_removed_content_dangles(fleet: Fleet) -> None:
    host = fleet.host("dev1", "dev")
    fleet.promote(KEY, "dev")
    serial = fleet.certificate(host).serial
    assert states(fleet, APPS) == (ContentState.AVAILABLE,)
    ctx = fleet.ctx
    content = repositories.get_repository(ctx, KEY).content.id
    with ctx.store.session(), ctx.store.transaction(), certificates_follow(ctx, "acme"):
        ctx.store.repositories.withdraw("acme", content)
    assert states(fleet) == (ContentState.DANGLING,)
    assert (fleet.stale(host), fleet.certificate(host).serial, fleet.paths(host)) == (set(), serial, [BASE])


def test_task_7_4_a_new_url_reaches_hosts_when_it_is_promoted(fleet: Fleet) -> None:
    host = fleet.host("dev1", "dev")
    fleet.promote(KEY, "dev")
    assert fleet.paths(host) == [BASE]
    change_path(fleet, "/custom/elsewhere")
    assert (fleet.stale(host), fleet.paths(host), states(fleet)) == (set(), [BASE], (ContentState.CHANGED,))
    fleet.promote(KEY, "dev")
    assert fleet.paths(host) == ["/acme/dev/custom/elsewhere"]


def test_task_7_5_nothing_else_that_changes_regenerates_either_nor_in_other_organizations(fleet: Fleet) -> None:
    catalog.create_organization(fleet.ctx, label="other", name="Other")
    host = fleet.host("dev1", "dev")
    fleet.promote(KEY, "dev")
    payload = fleet.certificate(host).payload
    repositories.update_repository(fleet.ctx, KEY, name="Another name", arches=["x86_64"])
    catalog.update_product(fleet.ctx, "acme", "tools", name="Another name", description="Another one")
    assert fleet.stale(host) == set()
    (found,) = certificates.certificates_of(fleet.ctx, host.uuid)
    assert fleet.certificate(host).payload == payload
    assert found.certificate.revoked_at is None
