"""Every call of the API that changes something is in the audit log, with who made it and from where."""

from typing import Any

from makers.serving import KEY
from makers.towns import Town

from issbox.files import FileLock
from issbox.web.api.table import TABLE
from issbox.workflows.content import repositories

HOST = {"name": "web1", "facts": {}}
OVERRIDE = [{"contentLabel": "a", "name": "priority", "value": "1"}]
STORY: dict[str, tuple[Any, str]] = {
    "POST /owners/{owner_key}/environments": ({"name": "New", "id": "new"}, "lifecycle-environment.create"),
    "PUT /environments/{environment_id}": ({"description": "x"}, "lifecycle-environment.update"),
    "POST /environments/{environment_id}/content": ([{"contentId": "{content}"}], "promotion.promote"),
    "DELETE /environments/{environment_id}/content": ("?content={content}", "promotion.demote"),
    "PUT /environments/{environment_id}/content": ([{"contentId": "{content}"}], "promotion.set"),
    "PUT /environments/{environment_id}/content_overrides": (OVERRIDE, "content.override"),
    "DELETE /environments/{environment_id}/content_overrides": (None, "content.override"),
    "POST /owners/{owner_key}/activation_keys": ({"name": "new"}, "activation-key.create"),
    "PUT /activation_keys/{activation_key_id}": ({"description": "x"}, "activation-key.update"),
    "PUT /activation_keys/{activation_key_id}/content_overrides": (OVERRIDE, "activation-key.override"),
    "DELETE /activation_keys/{activation_key_id}/content_overrides": (None, "activation-key.override"),
    "DELETE /activation_keys/{activation_key_id}": (None, "activation-key.delete"),
    "POST /consumers": (HOST, "consumer.create"),
    "POST /environments/{environment_ids}/consumers": (HOST, "consumer.create"),
    "PUT /consumers/{consumer_uuid}": ({"name": "web2"}, "consumer.update"),
    "POST /consumers/{consumer_uuid}": (None, "consumer.identity"),
    "PUT /owners/{owner_key}/consumers/environments": (
        {"consumerUuids": ["{host}"], "environmentIds": ["new"]},
        "consumer.move",
    ),
    "PUT /consumers/{consumer_uuid}/certificates": (None, "certificate.issue"),
    "PUT /consumers/{consumer_uuid}/content_overrides": (OVERRIDE, "consumer.override"),
    "DELETE /consumers/{consumer_uuid}/content_overrides": (None, "consumer.override"),
    "PUT /owners/{owner_key}/certificates": (None, "certificate.regenerate"),
    "PUT /environments/{environment_id}/certificates": (None, "certificate.regenerate"),
    "PUT /certificates": ("?unchanged=true", "certificate.regenerate"),
    "PUT /entitlements/product/{product_id}": (None, "certificate.regenerate"),
    "DELETE /jobs/{job_id}": (None, "job.cancel"),
    "DELETE /consumers/{consumer_uuid}": (None, "consumer.delete"),
    "DELETE /environments/{environment_id}": (None, "lifecycle-environment.delete"),
}
"""Each works when those before it have been made: body or query, and what is written into the audit log."""
KEPT_NOWHERE = {f"PUT /consumers/{{consumer_uuid}}/{word}" for word in ("packages", "profiles", "checkin")}
"""Calls that change nothing: what they bring is not kept."""


def test_every_call_that_changes_something_is_known_here() -> None:
    changing = {f"{route.method} {route.path}" for route in TABLE.routes if route.method != "GET"}
    assert changing == STORY.keys() | KEPT_NOWHERE


def test_every_call_that_changes_something_is_written_down(town: Town) -> None:
    user = town.user("root-user")
    known = {
        "owner_key": "acme",
        "environment_id": "new",
        "environment_ids": "new",
        "activation_key_id": "acme:new",
        "product_id": "tools",
        "content": repositories.get_repository(town.ctx, KEY).content.id,
    }
    with FileLock(town.ctx.store.locks / "jobs.lock"):  # a service that takes no job up, so that one can be stopped
        for call, (body, action) in STORY.items():
            method, path = call.split(" ")
            before = len(entries(town))
            query = _filled(body, known) if isinstance(body, str) else "?owner=acme"
            given = None if isinstance(body, str) else _filled(body, known)
            found = user.call(method, f"{_filled(path, known)}{query}", given).good() or {}
            known |= {"consumer_uuid": found["uuid"], "host": found["uuid"]} if "uuid" in found else {}
            known |= {"job_id": found["id"]} if "statusPath" in found else {}
            assert (action, "root-user", "127.0.0.1") in entries(town)[before:], call


def entries(town: Town) -> list[tuple[str, str, str]]:
    with town.ctx.store.session():
        return [(each.action, each.actor.name, each.actor.origin) for each in town.ctx.store.audit.list()]


def _filled(thing: Any, known: dict[str, str]) -> Any:
    """Put what is known in the place of the words in braces."""
    if isinstance(thing, str):
        for name, value in known.items():
            thing = thing.replace(f"{{{name}}}", value)
        return thing
    if isinstance(thing, dict):
        return {name: _filled(value, known) for name, value in thing.items()}
    return [_filled(each, known) for each in thing] if isinstance(thing, list) else thing
