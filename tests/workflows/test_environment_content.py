"""The request about environment content, point by point: problem, factors, assumptions, tasks of Katello, question.

`docs/environment-content.md` answers the same points in words, and every number of it has a test named after it: here,
in `test_environment_content_tasks.py`, or where the API is tested.
"""

import ast
import re
from dataclasses import replace
from pathlib import Path

import pytest
from makers.boxes import KEY
from makers.command_line import CommandLine
from makers.fleets import APPS, FACTS, Fleet, make_fleet, quick

from issbox.errors import NotFoundError, PromotionRefusedError
from issbox.model import LIBRARY, WantedContent
from issbox.rules.environments.promoted_states import ContentState
from issbox.workflows.certificates import certificates
from issbox.workflows.content import catalog, repositories
from issbox.workflows.content.synchronize import synchronize
from issbox.workflows.context import Context
from issbox.workflows.environments import contents, environments, promoting
from issbox.workflows.environments.exact_content import plan_content_set
from issbox.workflows.hosts import consumers, registering
from issbox.workflows.imports.by_hand import run_import

BASE = "/acme/dev/custom/tools/base"


@pytest.fixture
def fleet(tmp_path: Path) -> Fleet:
    return make_fleet(tmp_path)


def test_problem_1_a_certificate_names_only_what_is_on_disk(fleet: Fleet) -> None:
    host = fleet.host("dev1", "dev")
    fleet.promote(KEY, "dev")
    root = fleet.gap.outside.state / "content"
    assert fleet.paths(host) == [BASE]
    assert all((root / path[1:] / "repodata/repomd.xml").is_file() for path in fleet.paths(host))


def test_problem_2_another_organizations_import_changes_nothing_here(fleet: Fleet) -> None:
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


def test_factor_1_everything_that_is_named_can_be_reached(fleet: Fleet) -> None:
    host = fleet.host("dev1", "dev")
    for key in (KEY, APPS):
        fleet.promote(key, "dev")
        assert all((fleet.gap.outside.state / "content" / path[1:]).is_dir() for path in fleet.paths(host))
    fleet.demote(KEY, "dev")
    assert fleet.paths(host) == ["/acme/dev/custom/tools/apps"]


def test_factor_2_contents_are_promoted_one_by_one(fleet: Fleet) -> None:
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


def test_assumption_2_a_promotion_that_leaves_processors_out_is_refused(fleet: Fleet) -> None:
    only_for(fleet, "aarch64")
    host = fleet.host("dev1", "dev")
    plan = promoting.plan_repository_promotion(fleet.ctx, KEY, 1, "dev")
    with pytest.raises(PromotionRefusedError, match="not there for them"):
        promoting.promote(fleet.ctx, plan)
    assert fleet.paths(host) == []


def only_for(fleet: Fleet, arch: str) -> None:
    """Let base be what there is for one processor of a content that has a path for each."""
    with fleet.ctx.store.session(), fleet.ctx.store.transaction():
        content = replace(fleet.ctx.store.repositories.get(KEY).content, path="/custom/tools/$basearch")
        fleet.ctx.store.repositories.update(KEY, content=content, variables={"basearch": arch})


def test_assumption_3_entitlements_are_granted_without_promoted_content(fleet: Fleet) -> None:
    host = fleet.host("dev1", "dev")
    assert (fleet.paths(host), fleet.certificate(host).payload is not None) == ([], True)


def test_assumption_4_entitlements_are_there_in_every_environment(fleet: Fleet) -> None:
    host = fleet.host("dev1", "dev", products=("tools",))
    fleet.promote(KEY, "prod", force=True, reason="first")
    assert fleet.paths(host) == []
    consumers.move_consumers(fleet.ctx, "acme", [host.uuid], ["prod"])
    assert fleet.paths(host) == ["/acme/prod/custom/tools/base"]


def test_katello_task_1_hosts_outlive_their_environment(fleet: Fleet) -> None:
    host = fleet.host("dev1", "dev")
    fleet.promote(KEY, "dev")
    fleet.certificate(host)
    environments.delete_environment(fleet.ctx, "acme", "dev", force=True)
    assert fleet.paths(host) == []


def test_katello_task_2_hosts_register_into_environments(fleet: Fleet) -> None:
    host = registering.register(fleet.ctx, organization="acme", name="a", facts=FACTS, environments=["prod", "dev"])
    assert host.environments == ("prod", "dev")
    with pytest.raises(NotFoundError):
        fleet.host("b", "nowhere")


def test_katello_task_3_hosts_move_all_or_none(fleet: Fleet) -> None:
    hosts = [fleet.host(name, "dev") for name in "ab"]
    uuids = [each.uuid for each in hosts]
    with pytest.raises(NotFoundError):
        consumers.move_consumers(fleet.ctx, "acme", [*uuids, "none"], ["prod"])
    assert [consumers.get_consumer(fleet.ctx, each).environments for each in uuids] == [("dev",)] * 2
    consumers.move_consumers(fleet.ctx, "acme", uuids, ["prod"])
    assert [consumers.get_consumer(fleet.ctx, each).environments for each in uuids] == [("prod",)] * 2


def test_katello_task_4_what_an_environment_holds_can_be_said_again_and_again(fleet: Fleet) -> None:
    wanted = [WantedContent("tools", "base", 1)]
    assert promoting.promote(fleet.ctx, plan_content_set(fleet.ctx, "acme", "dev", wanted)) is not None
    assert promoting.promote(fleet.ctx, plan_content_set(fleet.ctx, "acme", "dev", wanted)) is None
    plan = promoting.plan_repository_promotion(fleet.ctx, APPS, 1, "prod")
    with pytest.raises(PromotionRefusedError, match="comes before prod"):
        promoting.promote(fleet.ctx, plan)


def test_katello_task_4_1_what_is_partly_promoted_is_named_before_and_after(fleet: Fleet) -> None:
    """Two repositories of one content, of which only one is promoted."""
    only_for(fleet, "x86_64")
    with fleet.ctx.store.session(), fleet.ctx.store.transaction():
        content = fleet.ctx.store.repositories.get(KEY).content
        fleet.ctx.store.repositories.update(APPS, content=content, variables={"basearch": "aarch64"})
    plan = promoting.plan_repository_promotion(fleet.ctx, KEY, 1, "dev")
    assert plan.effect.missing_paths == ("custom/tools/apps",)
    promoting.promote(fleet.ctx, plan)
    (status,) = contents.list_statuses(fleet.ctx, "acme", "dev")
    assert (status.states, status.missing) == ((ContentState.PARTLY,), ("custom/tools/apps",))
    fleet.promote(APPS, "dev")
    (status,) = contents.list_statuses(fleet.ctx, "acme", "dev")
    assert (status.states, status.missing) == ((), ())


def test_question_1_no_variable_of_the_server_is_left_for_hosts(fleet: Fleet) -> None:
    host = fleet.host("dev1", "dev")
    fleet.promote(KEY, "dev")
    (found,) = certificates.certificates_of(fleet.ctx, host.uuid)
    assert "$org" not in found.certificate.pem
    assert all("$org" not in path and "$env" not in path for path in fleet.paths(host))


NUMBERED = re.compile(r"^(?P<indent> *)(?P<number>\d+)\. (?P<text>.*)")
TESTS = Path(__file__).parents[1]
PLACES = (
    "workflows/test_environment_content.py",
    "workflows/test_environment_content_tasks.py",
    "web/api/test_api_environments.py",
    "web/api/test_api_promotions.py",
)
SECTIONS = {
    "The problem": "problem",
    "Complicating factors": "factor",
    "Assumptions": "assumption",
    "Tasks": "task",
    "Tasks of Katello": "katello_task",
    "Questions": "question",
}


def answers() -> dict[str, str]:
    """Give the answers of the page by what their tests are named after: `task_7_4`."""
    found: dict[str, str] = {}
    section = name = outer = ""
    for line in (TESTS.parent / "docs/environment-content.md").read_text().splitlines():
        if line.startswith("## "):
            section, name = SECTIONS[line[3:]], ""
        elif (match := NUMBERED.match(line)) and section:
            if match["indent"]:
                name = f"{outer}_{match['number']}"
            else:
                name = outer = f"{section}_{match['number']}"
            found[name] = match["text"]
        elif name and line.strip():
            found[name] += f" {line.strip()}"
    return found


def test_every_number_has_a_test_named_after_it_and_an_answer_of_two_sentences() -> None:
    tests = [
        node.name
        for place in PLACES
        for node in ast.walk(ast.parse((TESTS / place).read_text()))
        if isinstance(node, ast.FunctionDef)
    ]
    named = {name for name in answers() if any(re.match(rf"test_{name}_[^0-9]", test) for test in tests)}
    assert named == set(answers())
    counts = {"problem": 2, "factor": 3, "assumption": 4, "task": 26, "katello_task": 5, "question": 1}
    assert {
        each: sum(re.fullmatch(rf"{each}[0-9_]+", name) is not None for name in answers()) for each in counts
    } == counts
    for name, text in answers().items():
        sentences = re.findall(r"[.?](?= |$)", text.rpartition("** ")[2].rpartition("* ")[2])
        assert len(sentences) == 2, (name, text)


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
    shown = line.json("ca", "show")
    assert shown["is_root"] is True
    assert line("ca", "show", "--chain").stdout == shown["chain"]
