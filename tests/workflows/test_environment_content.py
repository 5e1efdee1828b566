"""The request about environment content, point by point: each test is named after a task, an assumption or a question.

`docs/environment-content.md` answers the same points in words.
"""

from pathlib import Path

import pytest
from makers.boxes import KEY
from makers.command_line import CommandLine
from makers.fleets import APPS, FACTS, Fleet, make_fleet, quick

from issbox.errors import NotFoundError, NotPermittedError, PromotionRefusedError
from issbox.model import LIBRARY, Consumer, Role, User
from issbox.rules.promoted_states import ContentState
from issbox.workflows import (
    authority,
    catalog,
    certificates,
    consumers,
    contents,
    environments,
    promoting,
    registering,
    repositories,
)
from issbox.workflows.by_hand import run_import
from issbox.workflows.context import Context
from issbox.workflows.synchronize import synchronize

BASE = "/acme/dev/custom/tools/base"


@pytest.fixture
def fleet(tmp_path: Path) -> Fleet:
    return make_fleet(tmp_path)


def as_user(fleet: Fleet, name: str, role: Role, product: str | None = None) -> Context:
    """Give the surroundings of a new user with a role in acme, for all of it or a product."""
    with fleet.ctx.store.session(), fleet.ctx.store.transaction():
        fleet.ctx.store.users.create(User(name, name, fleet.ctx.clock()))
        fleet.ctx.store.grants.add(name, role, "acme", product)
    return fleet.ctx.acting_as(name, "local")


def test_problem_a_certificate_names_only_what_is_on_disk(fleet: Fleet) -> None:
    host = fleet.host("dev1", "dev")
    fleet.promote(KEY, "dev")
    root = fleet.gap.outside.state / "content"
    assert fleet.paths(host) == [BASE]
    assert all((root / path[1:] / "repodata/repomd.xml").is_file() for path in fleet.paths(host))


def test_problem_another_organizations_import_changes_nothing_here(fleet: Fleet) -> None:
    """Two boxes, two organizations, one product at different states: part 8 of the request's answer."""
    inside = quick(fleet.gap.inside.context())
    run_import(inside, fleet.gap.export())
    environments.create_environment(inside, organization="acme", label="dev", name="Dev", prior=LIBRARY)
    here = Fleet(fleet.gap, inside)
    dev, library = here.host("dev1", "dev"), here.host("lib1", LIBRARY)
    here.promote(KEY, "dev")
    before = here.certificate(dev).serial, here.certificate(library).serial
    catalog.create_organization(inside, label="other", name="Other")
    fleet.gap.change_upstream(3)
    synchronize(fleet.ctx, KEY)
    newer = fleet.gap.export()
    assert shown(inside) == "base/1"
    run_import(inside, newer)
    assert here.stale(dev, library) == set(), "another version of the same content regenerates nothing"
    assert (here.certificate(dev).serial, here.certificate(library).serial) == before
    assert shown(inside) == "base/1", "an import changes no environment but Library"
    with inside.store.session():
        assert inside.store.products.list("other") == []


def shown(ctx: Context) -> str:
    return "/".join((ctx.store.state_dir / "content/acme/dev/custom/tools/base").resolve().parts[-2:])


def test_factor_1_and_2_what_is_partly_promoted_is_named(fleet: Fleet) -> None:
    host = fleet.host("dev1", "dev")
    fleet.promote(KEY, "dev")
    states = {each.label: each.states for each in contents.list_statuses(fleet.ctx, "acme", "dev")}
    assert list(states.values()).count(()) == 1
    assert list(states.values()).count((ContentState.AVAILABLE,)) == 1
    assert fleet.paths(host) == [BASE]


def test_factor_3_nothing_promoted_is_an_empty_certificate(fleet: Fleet) -> None:
    assert fleet.paths(fleet.host("dev1", "dev")) == []


def test_assumption_1_hosts_can_be_moved(fleet: Fleet) -> None:
    host = fleet.host("dev1", "dev")
    fleet.promote(KEY, "prod", force=True, reason="first")
    assert fleet.paths(host) == []
    consumers.move_consumers(fleet.ctx, "acme", [host.uuid], ["prod"])
    assert fleet.paths(host) == ["/acme/prod/custom/tools/base"]


def test_assumption_2_content_for_other_processors_is_not_named(fleet: Fleet) -> None:
    repositories.update_repository(fleet.ctx, KEY, arches=["aarch64"])
    host = fleet.host("dev1", "dev")
    fleet.promote(KEY, "dev")
    assert fleet.paths(host) == []


def test_assumptions_3_and_4_entitlements_need_no_promoted_content(fleet: Fleet) -> None:
    host = fleet.host("dev1", "dev", products=("tools",))
    assert (fleet.paths(host), fleet.certificate(host).payload is not None) == ([], True)


def test_task_1_environments_have_ids_and_are_not_needed(fleet: Fleet) -> None:
    made = environments.create_environment(
        fleet.ctx, organization="acme", label="qa", name="QA", prior=LIBRARY, id_="given-by-katello", type_="Stage"
    )
    assert (made.id, made.type) == ("given-by-katello", "stage")
    host = fleet.host("out1")
    assert len(fleet.paths(host)) == 2, "outside any environment a host gets the product's content"


def test_task_2_environments_are_for_super_admins(fleet: Fleet) -> None:
    ctx = as_user(fleet, "ann", Role.ORG_ADMIN)
    with pytest.raises(NotPermittedError):
        environments.create_environment(ctx, organization="acme", label="qa", name="QA", prior=LIBRARY)
    with pytest.raises(NotPermittedError):
        environments.delete_environment(ctx, "acme", "dev")
    assert [each.label for each in environments.list_environments(ctx, "acme")] == [LIBRARY, "dev", "prod"]


def test_task_2_unless_the_organization_hands_them_to_its_org_admins(fleet: Fleet) -> None:
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


def test_task_3_a_promotion_overrides_enabled(fleet: Fleet) -> None:
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


def test_task_4_promoting_is_for_org_admins_and_promoters_of_the_organization(fleet: Fleet) -> None:
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


def test_task_5_certificates_look_at_the_hosts_environments(fleet: Fleet) -> None:
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
    assert len(old & set(authority.revoked_serials(fleet.ctx))) == 3


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


def test_katello_task_1_hosts_outlive_their_environment(fleet: Fleet) -> None:
    host = fleet.host("dev1", "dev")
    fleet.promote(KEY, "dev")
    fleet.certificate(host)
    environments.delete_environment(fleet.ctx, "acme", "dev", force=True)
    assert fleet.paths(host) == []


def test_katello_tasks_2_and_3_hosts_register_into_environments_and_move(fleet: Fleet) -> None:
    host = registering.register(fleet.ctx, organization="acme", name="a", facts=FACTS, environments=["prod", "dev"])
    assert host.environments == ("prod", "dev")
    with pytest.raises(NotFoundError):
        fleet.host("b", "nowhere")


def test_katello_task_4_nothing_goes_past_an_environment_unseen(fleet: Fleet) -> None:
    plan = promoting.plan_repository_promotion(fleet.ctx, APPS, 1, "prod")
    with pytest.raises(PromotionRefusedError, match="comes before prod"):
        promoting.promote(fleet.ctx, plan)
    assert plan.effect.missing_paths == ()


def test_question_1_no_variable_of_the_server_is_left_for_hosts(fleet: Fleet) -> None:
    host = fleet.host("dev1", "dev")
    fleet.promote(KEY, "dev")
    (found,) = certificates.certificates_of(fleet.ctx, host.uuid)
    assert "$org" not in found.certificate.pem
    assert all("$org" not in path and "$env" not in path for path in fleet.paths(host))


def test_commands_from_a_host_to_its_repo_file(tmp_path: Path) -> None:
    line = CommandLine(tmp_path)
    (tmp_path / "config" / "issbox").mkdir(parents=True)
    line.environ["ISSBOX_CONFIG"] = str(tmp_path / "issbox.toml")
    (tmp_path / "issbox.toml").write_text('[certificates]\nauthority_key = "ec-p256"\nhost_key = "ec-p256"\n')
    line("init", "--name", "Box", "--organization", "acme")
    line("product", "create", "--name", "tools")
    line("repository", "create", "--product", "tools", "--label", "base")
    made = line.json(
        "consumer", "create", "--name", "web1", "--arch", "x86_64", "--output", tmp_path / "web1",
        "--content-url", "https://box.example.com/content",
    )  # fmt: skip
    repo = (tmp_path / "web1/issbox.repo").read_text()
    assert "baseurl=https://box.example.com/content/acme/Library/custom/tools/base" in repo
    assert (tmp_path / "web1/key.pem").stat().st_mode & 0o777 == 0o600
    path = "/acme/Library/custom/tools/base/repodata/repomd.xml"
    assert line.json("certificate", "check", tmp_path / "web1/entitlement-1.pem", path)["granted"]
    line("certificate", "check", tmp_path / "web1/entitlement-1.pem", "/acme/dev/x", code=3)
    assert line.json("certificate", "show", tmp_path / "web1/identity.pem")["kind"] == "identity"
    assert "acme" in line("certificate", "show", tmp_path / "web1/entitlement-1.pem").stdout
    assert line.json("certificate", "regenerate", "--unchanged")["done"] == 1
    assert line.json("certificate", "regenerations")[0]["state"] == "done"
    assert len(line.json("ca", "crl")["serials"]) == 1
    assert line.json("certificate", "list", "--consumer", made["uuid"], "--issue")[0]["stale"] is False
    assert line.json("ca", "show")["is_root"] is True
