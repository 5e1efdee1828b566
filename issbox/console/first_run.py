"""The first run: makes a box step by step, each step a form that says why it asks."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from issbox.config import load_settings
from issbox.console.words import Answers, Question
from issbox.model import Role
from issbox.names import check_name, check_user_name, make_label
from issbox.progress import Silent
from issbox.wiring import calling_actor, now, open_context, require_local_administrator
from issbox.workflows.appliance import boxes
from issbox.workflows.exchange.handed import handed_over
from issbox.workflows.people import ssh_keys, users

_LARGEST_KEY: Final = 16_384


@dataclass(frozen=True, slots=True)
class Step:
    """One form of the first run."""

    title: str
    why: str
    questions: tuple[Question, ...]
    do: Callable[[Mapping[str, str], Answers], str]
    """Does it, given the environment and the answers, and tells what was done; raises IssboxError."""


def _make_box(environ: Mapping[str, str], answers: Answers) -> str:
    settings = load_settings(environ)
    box = boxes.initialize(
        settings,
        name=check_name(answers["name"], "name of the box"),
        organization_label=answers["label"] or make_label(answers["organization"]),
        organization_name=answers["organization"],
        actor=calling_actor(environ),
        clock=now,
        progress=Silent(),
    )
    return f"{box.name} is made in {settings.state_dir}."


def _make_operator(environ: Mapping[str, str], answers: Answers) -> str:
    if not answers["user"].strip():
        return "No user was made; the account that owns the box may do everything."
    ctx = open_context(environ=environ)
    name = check_user_name(answers["user"].strip())
    with ctx.store.session(), ctx.store.transaction():  # all of it, or the name would be taken
        users.create_user(ctx, name=name, full_name=answers["full_name"])
        users.grant_role(ctx, name, Role.SUPER_ADMIN)
        if answers["key"].strip():
            ssh_keys.add_ssh_key(ctx, name, answers["key"])
    return f"{name} may do everything on this box."


def _trust(environ: Mapping[str, str], answers: Answers) -> str:
    if not answers["key"].strip():
        return "No other box is trusted yet, so no bundle is accepted."
    ctx = open_context(environ=environ)
    pem = handed_over(answers["key"].strip(), lambda text: text.startswith("-----BEGIN"), "a public key", _LARGEST_KEY)
    added = boxes.add_trusted_key(ctx, pem.decode(errors="replace"), answers["name"] or None)
    return f"Bundles of {added.name} are accepted; compare its fingerprint with the other side: {added.key_id}"


STEPS: Final = (
    Step(
        "This box",
        "A box has a name for people, a signing key of its own, and a first organization, which owns all content.",
        (
            Question("name", "Name of the box", required=True),
            Question("organization", "Organization", required=True),
            Question(
                "label", "Its label", help="For paths and files; never changes. Made from the name when left out."
            ),
        ),
        _make_box,
    ),
    Step(
        "First operator",
        "Operators come in by SSH, each with a key of their own, so that the audit log says who did what.",
        (
            Question("user", "User name", help="Nothing: only the account that owns the box, for now."),
            Question("full_name", "Full name"),
            Question("key", "SSH public key", help="The line of id_ed25519.pub."),
        ),
        _make_operator,
    ),
    Step(
        "The other side",
        "Bundles are accepted only from boxes whose key is trusted. `issbox box show --public-key` prints it there.",
        (
            Question("key", "Public key file", help="Nothing: later, in the place Keys."),
            Question("name", "Name of that box"),
        ),
        _trust,
    ),
)


def begin(environ: Mapping[str, str] | None = None) -> None:
    """Raise NotPermittedError for whoever may not make a box."""
    require_local_administrator(os.environ if environ is None else environ)
