"""Lifecycle environments over the API of a real server: who may what, what is refused, and what happens to hosts."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from makers.serving import KEY
from makers.towns import Town

from issbox.certs.decode import decode_certificate
from issbox.errors import ConsumerDeletedError
from issbox.model import LIBRARY, Consumer
from issbox.names import is_label
from issbox.workflows.certificates import certificates
from issbox.workflows.content import catalog
from issbox.workflows.environments import environments
from issbox.workflows.environments.promoting import plan_repository_promotion, promote
from issbox.workflows.hosts import consumers
from issbox.workflows.hosts.registering import register
from issbox.workflows.people.audit_log import list_audit

FACTS = {"uname.machine": "x86_64", "system.certificate_version": "3.2"}


def make(town: Town, **more: Any) -> dict[str, Any]:
    body = {"id": "given-by-katello", "name": "dev/cv1", "type": "Staging", "description": "One", **more}
    found = town.user("root-user").post("/owners/acme/environments", body).good()
    assert isinstance(found, dict)
    return found


def host(town: Town, name: str, *places: str) -> Consumer:
    return register(town.ctx, organization="acme", name=name, facts=FACTS, environments=places)


def paths(town: Town, found: Consumer) -> tuple[str, ...]:
    (certificate,) = certificates.certificates_of(town.ctx, found.uuid)
    return decode_certificate(certificate.certificate.pem).paths


def actions(town: Town) -> list[tuple[str, str]]:
    """Give what was written into the audit log through the API, and by whom."""
    with town.ctx.store.session():
        found = town.ctx.store.audit.list()
    return [(each.action, each.actor.name) for each in found if each.actor.origin == "127.0.0.1"]


def test_task_2_made_shown_changed_deleted_and_audited(town: Town) -> None:
    admin = town.user("root-user")
    made = make(town, contentPrefix="/mirror")
    assert made["owner"] == made["owner"] | {
        "key": "acme",
        "displayName": "Acme",
        "contentAccessMode": "org_environment",
    }
    made.pop("owner")
    created = made.pop("created")
    assert created == made.pop("updated")
    assert abs(datetime.strptime(created, "%Y-%m-%dT%H:%M:%S%z") - town.ctx.clock()) < timedelta(hours=1)
    assert made == {
        "id": "given-by-katello", "name": "dev/cv1", "label": "dev_cv1", "prior": LIBRARY, "type": "staging",
        "description": "One", "contentPrefix": "/mirror", "environmentContent": [],
    }  # fmt: skip
    place = "/environments/given-by-katello"
    assert admin.get(place).good()["label"] == "dev_cv1"
    changed = admin.put(
        place, {"name": "Stage", "description": "", "type": None, "id": "other", "owner": {"id": "x"}}
    ).good()
    assert (changed["id"], changed["name"], changed["description"], changed["type"]) == (
        "given-by-katello", "Stage", "", "staging",
    )  # fmt: skip
    assert changed["label"] == "dev_cv1", "paths never change"
    assert admin.put(place, {"type": "", "contentPrefix": ""}).good()["type"] is None
    assert admin.delete(place).status == 204
    assert admin.get(place).bad(404)
    assert actions(town) == [
        ("lifecycle-environment.create", "root-user"),
        ("lifecycle-environment.update", "root-user"),
        ("lifecycle-environment.update", "root-user"),
        ("lifecycle-environment.delete", "root-user"),
    ]


def test_task_2_2_lists_and_their_filters(town: Town) -> None:
    make(town)
    user = town.user("vic")

    def names(**query: Any) -> list[str]:
        return [each["name"] for each in user.get("/owners/acme/environments", **query).good()]

    assert names() == [LIBRARY, "Dev", "Production"], "untyped ones only"
    assert names(list_all="true") == [LIBRARY, "Dev", "Production", "dev/cv1"]
    assert names(type="STAGING") == ["dev/cv1"]
    assert names(type=["staging", "other"]) == ["dev/cv1"]
    assert names(name="Dev") == ["Dev"]
    assert names(name="dev/cv1") == []
    assert names(name="dev/cv1", type="staging") == ["dev/cv1"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"name": ""}, 400),
        ({"name": "x" * 256}, 400),
        ({"name": " "}, 400),
        ({"name": "a\u009b"}, 400),
        ({"name": "New", "description": "a\u001b[31m"}, 400),
        ({"name": 7}, 400),
        ({"name": "New", "id": "x" * 33}, 400),
        ({"name": "New", "id": "a b"}, 400),
        ({"name": "New", "description": "x" * 256}, 400),
        ({"name": "New", "contentPrefix": "../x"}, 400),
        ({"name": "New", "type": "x" * 33}, 400),
        ({"name": "New", "environmentContent": [{"contentId": "1", "enabled": None}]}, 400),
        ({"name": "New", "prior": "nowhere"}, 404),
        ({"name": "Dev"}, 409),
        ({"name": "New", "id": "taken"}, 409),
        ([], 400),
        (b"{", 400),
    ],
)
def test_what_cannot_be_made(town: Town, body: object, status: int) -> None:
    make(town, id="taken")
    before = [each.label for each in environments.list_environments(town.ctx, "acme")]
    assert town.user("root-user").post("/owners/acme/environments", body).bad(status)
    assert [each.label for each in environments.list_environments(town.ctx, "acme")] == before


def test_a_name_without_letters_for_a_label_gets_one_all_the_same(town: Town) -> None:
    labels = {name: make(town, id=None, name=name)["label"] for name in ("开发", "测试", "Prüfung")}
    assert labels["Prüfung"] == "Prufung"
    assert labels["开发"] != labels["测试"]
    assert all(is_label(each) for each in labels.values())
    assert town.user("vic").get("/owners/acme/environments", name="开发", list_all="true").good()[0]["name"] == "开发"


def test_a_change_is_made_whole_or_not_at_all(town: Town) -> None:
    admin, place = town.user("root-user"), f"/environments/{town.environment('dev').id}"
    for body in ({"name": "  "}, {"name": "x" * 256}, {"contentPrefix": "../x"}, {"type": "a b"}):
        assert admin.put(place, {"description": "changed", **body}).bad(400)
    assert admin.get(place).good()["description"] == ""
    assert admin.put("/environments/nowhere", {"name": "x"}).bad(404)
    assert admin.delete(f"/environments/{town.environment(LIBRARY).id}").bad(409)


NEW = {"name": "Another"}
DEEDS = [
    ("POST", "/owners/acme/environments", NEW),
    ("PUT", "/environments/{dev}", {"description": "x"}),
    ("GET", "/environments/{dev}", None),
    ("GET", "/owners/acme/environments", None),
    ("DELETE", "/environments/{dev}", None),
]


@pytest.mark.parametrize(
    ("name", "statuses"),
    [
        ("root-user", (200, 200, 200, 200, 204)),
        ("alice", (403, 403, 200, 200, 403)),
        ("pat", (403, 403, 200, 200, 403)),
        ("vic", (403, 403, 200, 200, 403)),
        ("bob", (404, 404, 404, 404, 404)),
        ("nora", (404, 404, 404, 404, 404)),
        ("", (401, 401, 401, 401, 401)),
    ],
)
def test_task_2_1_who_may_what(town: Town, name: str, statuses: tuple[int, ...]) -> None:
    client = town.user(name) if name else town.nobody()
    dev = town.environment("dev").id
    found = [client.call(method, path.format(dev=dev), body).status for method, path, body in DEEDS]
    assert tuple(found) == statuses


def test_a_foreign_environment_looks_as_if_it_did_not_exist(town: Town) -> None:
    bob = town.user("bob")
    there, nowhere = town.environment("dev").id, "0" * 32
    for method, body in (("GET", None), ("PUT", {"name": "x"}), ("DELETE", None)):
        said = [
            bob.call(method, f"/environments/{each}", body).bad(404).replace(each, "ID") for each in (there, nowhere)
        ]
        assert said[0] == said[1]


def test_a_foreign_host_looks_as_if_it_did_not_exist(town: Town) -> None:
    bob, there = town.user("bob"), host(town, "web1").uuid
    said = [
        bob.put("/owners/other/consumers/environments", {"consumerUuids": [each], "environmentIds": []}).bad(404)
        for each in (there, "0" * 36)
    ]
    assert said[0].replace(there, "") == said[1].replace("0" * 36, "")


def test_task_2_1_an_organization_may_hand_environments_to_its_org_admins(town: Town) -> None:
    catalog.update_organization(town.ctx, "acme", hands_over_environments=True)
    alice = town.user("alice")
    made = alice.post("/owners/acme/environments", NEW).good()
    alice.put(f"/environments/{made['id']}", {"description": "of Alice"}).good()
    assert town.user("pat").delete(f"/environments/{made['id']}").bad(403)
    assert town.user("bob").delete(f"/environments/{made['id']}").bad(404)
    assert alice.post("/owners/other/environments", NEW).bad(404)
    assert alice.delete(f"/environments/{made['id']}").status == 204


def test_katello_task_1_hosts_outlive_their_environment_and_get_nothing(town: Town) -> None:
    only, both = host(town, "only", "dev"), host(town, "both", "dev", "prod")
    promote(town.ctx, plan_repository_promotion(town.ctx, KEY, 1, "prod"))
    assert (paths(town, only), paths(town, both)) == (("/acme/dev/custom/tools/base",),) * 2
    assert town.user("root-user").delete(f"/environments/{town.environment('dev').id}").status == 204
    assert consumers.get_consumer(town.ctx, only.uuid).environments == ()
    assert (paths(town, only), paths(town, both)) == ((), ("/acme/prod/custom/tools/base",))
    assert environments.get_environment(town.ctx, "acme", "prod").environment.prior == LIBRARY


def test_hosts_are_deleted_with_their_environment_only_when_that_is_said(town: Town) -> None:
    only, both = host(town, "only", "dev"), host(town, "both", "dev", "prod")
    found = town.user("alice").get(f"/consumers/{only.uuid}").good()
    client, place = town.host(found), f"/environments/{town.environment('dev').id}"
    assert town.user("root-user").delete(place, retain_consumers="perhaps").bad(400)
    assert town.user("root-user").delete(place, retain_consumers="false").status == 204
    with pytest.raises(ConsumerDeletedError):
        consumers.get_consumer(town.ctx, only.uuid)
    reply = client.get(f"/consumers/{only.uuid}")
    assert reply.bad(410)
    assert reply.json["deletedId"] == only.uuid
    assert consumers.get_consumer(town.ctx, both.uuid).environments == ("prod",)
    assert ("consumer.delete", "root-user") in actions(town)


def test_katello_task_3_bulk_move(town: Town) -> None:
    hosts = [host(town, f"h{each}", "dev") for each in range(3)]
    dev, prod, theirs = (town.environment(*each).id for each in (("dev",), ("prod",), ("dev", "other")))
    alice, path = town.user("alice"), "/owners/acme/consumers/environments"
    uuids = [each.uuid for each in hosts]

    def places() -> list[tuple[str, ...]]:
        return [consumers.get_consumer(town.ctx, each).environments for each in uuids]

    assert alice.put(path, {"consumerUuids": uuids, "environmentIds": [prod, dev]}).status == 204
    assert places() == [("prod", "dev")] * 3
    for body, status in (
        ({"consumerUuids": uuids, "environmentIds": [theirs]}, 404),
        ({"consumerUuids": uuids, "environmentIds": ["nowhere"]}, 404),
        ({"consumerUuids": [*uuids, "0" * 36], "environmentIds": [dev]}, 404),
        ({"consumerUuids": uuids * 400, "environmentIds": [dev]}, 400),
        ({"consumerUuids": uuids, "environmentIds": [dev] * 11}, 400),
        ({"consumerUuids": uuids}, 400),
        ({"consumerUuids": uuids, "environmentIds": [""]}, 404),
    ):
        assert alice.put(path, body).bad(status), body
    for name, status in (("pat", 403), ("vic", 403), ("bob", 404), ("nora", 404)):
        assert town.user(name).put(path, {"consumerUuids": uuids, "environmentIds": [dev]}).bad(status)
    assert places() == [("prod", "dev")] * 3, "all or nothing"
    assert alice.put(path, {"consumerUuids": [*uuids[:1], *uuids[:1]], "environmentIds": []}).status == 204
    assert places()[0] == ()
    (moved,) = list_audit(town.ctx, limit=1)
    assert moved.details["hosts"] == uuids[:1], "each once"
    assert actions(town).count(("consumer.move", "alice")) == 2
