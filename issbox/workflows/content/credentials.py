"""Content credentials: making, showing and deleting them, and the files in which private keys lie.

Every change is one transaction with its audit entry.
"""

import hashlib
from contextlib import suppress
from pathlib import Path

from issbox.errors import InvalidValueError
from issbox.files import atomic_write
from issbox.model import ContentCredential, CredentialKind
from issbox.names import check_label, check_name
from issbox.workflows.context import Context, Permission


def create_credential(
    ctx: Context,
    *,
    organization: str,
    label: str,
    name: str,
    kind: CredentialKind,
    content: str,
    private_key: str | None = None,
) -> ContentCredential:
    """Keep a GPG key or certificate; a client certificate's private key goes to a file of its own, mode 0600.

    Raises InvalidValueError for content that is not of this kind, AlreadyExistsError for a label in use.
    """
    from issbox.workflows.content.credential_contents import check_content

    ctx.require(Permission.CONTENT_MANAGE, organization)
    check_label(label, "content credential label")
    check_name(name, "content credential name")
    content, private_key = check_content(kind, content, private_key)
    key_file = client_key_path(ctx.store.state_dir, organization, label)
    written = False
    try:
        with ctx.store.session(), ctx.store.transaction():
            ctx.store.organizations.get(organization)
            credential = ctx.store.credentials.create(ContentCredential(organization, label, name, kind, content))
            if private_key is not None:
                _store_private_key(key_file, private_key)
                written = True
            digest = hashlib.sha256(content.encode()).hexdigest()
            details: dict[str, object] = {"name": name, "kind": str(kind), "sha256": digest}
            ctx.audit("content-credential.create", label, organization=organization, details=details)
    except BaseException:
        if written:
            key_file.unlink(missing_ok=True)
        raise
    return credential


def list_credentials(ctx: Context, organization: str) -> list[ContentCredential]:
    """Give the content credentials of an organization."""
    ctx.require_some(Permission.CONTENT_READ, organization)
    with ctx.store.session():
        ctx.store.organizations.get(organization)
        return list(ctx.store.credentials.list(organization))


def delete_credential(ctx: Context, organization: str, label: str) -> ContentCredential:
    """Delete a content credential and its private key, and give what it was; raises InUseError."""
    ctx.require(Permission.CONTENT_MANAGE, organization)
    with ctx.store.session(), ctx.store.transaction():
        credential = ctx.store.credentials.get(organization, label)
        ctx.store.credentials.delete(organization, label)
        details: dict[str, object] = {"name": credential.name, "kind": str(credential.kind)}
        ctx.audit("content-credential.delete", label, organization=organization, details=details)
    key_file = client_key_path(ctx.store.state_dir, organization, label)
    key_file.unlink(missing_ok=True)
    with suppress(OSError):  # other credentials still have keys there
        key_file.parent.rmdir()
    return credential


def require_credential(ctx: Context, organization: str, label: str | None, kind: CredentialKind) -> None:
    """Raise NotFoundError or InvalidValueError when the label names no content credential of this kind."""
    if label:
        credential = ctx.store.credentials.get(organization, label)
        if credential.kind is not kind:
            raise InvalidValueError(f"the content credential {label} is a {credential.kind}, not a {kind}")


def client_key_path(state_dir: Path, organization: str, label: str) -> Path:
    """Give the file that holds the private key of a client certificate."""
    return client_keys_of(state_dir, organization) / f"{check_label(label)}.key"


def client_keys_of(state_dir: Path, organization: str) -> Path:
    """Give the directory of the private keys of an organization's client certificates."""
    return state_dir / "keys" / "credentials" / check_label(organization)


def _store_private_key(path: Path, private_key: str) -> None:
    """Write the private key of a client certificate, readable by the owner alone, whole or not at all."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with atomic_write(path, mode=0o600) as out:
        out.write(private_key.encode())
