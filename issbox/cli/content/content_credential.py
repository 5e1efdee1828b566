"""`issbox content-credential`."""

import hashlib
from typing import TYPE_CHECKING

import click

from issbox.cli.command import Run, command
from issbox.cli.index import noun
from issbox.cli.listing import add_list_and_info
from issbox.cli.options import (
    chosen_organization,
    creation_options,
    identity_options,
    label_and_name,
    organization_option,
    pick,
    read_text_file,
    yes_option,
)
from issbox.cli.shapes import Field, Shape
from issbox.model import ContentCredential, CredentialKind

if TYPE_CHECKING:
    from issbox.workflows.context import Context

content_credential = noun("content-credential")

CREDENTIAL = Shape[ContentCredential](
    "content credential",
    (
        Field("organization", "label of its organization", lambda each: each.organization),
        Field("label", "label, unique in the organization", lambda each: each.label, column=True),
        Field("name", "name for people", lambda each: each.name, column=True),
        Field("type", "`gpg-key`, `ca-certificate` or `client-certificate`", lambda each: each.kind, column=True),
        Field(
            "content_sha256",
            "SHA-256 of the key or certificate text",
            lambda each: hashlib.sha256(each.content.encode()).hexdigest(),
        ),
        Field(
            "content",
            "the key or certificate; private keys are never shown",
            lambda each: each.content,
            show=lambda _: "shown with --json",
        ),
    ),
)


@command(
    "create",
    group=content_credential,
    example="issbox content-credential create --name tools-key --type gpg-key --file RPM-GPG-KEY-tools",
    shape=CREDENTIAL,
)
@organization_option
@creation_options("content credential")
@click.option(
    "--type",
    "kind",
    required=True,
    type=click.Choice([str(kind) for kind in CredentialKind]),
    help="What the file holds.",
)
@click.option(
    "--file", required=True, metavar="FILE", help="Armored GPG key, or certificate in PEM; - for standard input."
)
@click.option(
    "--key-file", metavar="FILE", help="Private key of a client certificate, when it is not in the same file."
)
def create(
    run: Run,
    *,
    organization: str | None,
    name: str | None,
    label: str | None,
    kind: str,
    file: str,
    key_file: str | None,
) -> None:
    """Keep a GPG key or certificate that products and repositories refer to by label.

    The private key of a client certificate is written to a file that only the owner of the state directory can read.
    It is never shown, exported or logged.
    """
    from issbox.workflows.content import credentials
    from issbox.workflows.content.credential_contents import LARGEST_CREDENTIAL

    label, name = label_and_name(label, name)
    content = read_text_file(file, "a key or certificate", LARGEST_CREDENTIAL)
    private_key = read_text_file(key_file, "a private key", LARGEST_CREDENTIAL) if key_file is not None else None
    ctx = run.open()
    made = credentials.create_credential(
        ctx,
        organization=chosen_organization(ctx, organization),
        label=label,
        name=name,
        kind=CredentialKind(kind),
        content=content,
        private_key=private_key,
    )
    run.say(f"Content credential {made.label} created.")
    run.show(CREDENTIAL, made)


def _read(ctx: "Context", organization: str) -> list[ContentCredential]:
    from issbox.workflows.content import credentials

    return credentials.list_credentials(ctx, organization)


add_list_and_info(content_credential, CREDENTIAL, _read, example="tools-key")


@command(
    "delete",
    group=content_credential,
    example="issbox content-credential delete --label tools-key --yes",
    shape=CREDENTIAL,
)
@organization_option
@identity_options("content credential")
@yes_option
def delete(run: Run, *, organization: str | None, label: str | None, name: str | None, yes: bool) -> None:
    """Delete a content credential that nothing refers to, with its private key."""
    from issbox.workflows.content import credentials

    ctx = run.open()
    owner = chosen_organization(ctx, organization)
    chosen = pick(credentials.list_credentials(ctx, owner), label=label, name=name, what="content credential")
    run.confirm(f"Delete the content credential {chosen.label} ({chosen.name}) of {owner}?", yes=yes)
    deleted = credentials.delete_credential(ctx, owner, chosen.label)
    run.say(f"Content credential {deleted.label} deleted.")
    run.show(CREDENTIAL, deleted)
