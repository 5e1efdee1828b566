"""Organizations and products: making, showing, changing and deleting them.

Every change is one transaction with its audit entry. In updates, None leaves a value as it is and an empty text
takes it away.
"""

from collections.abc import Sequence
from typing import Any

from issbox.errors import InvalidValueError, NotFoundError, RedHatProductError
from issbox.files import remove_tree
from issbox.model import CertificateType, CredentialKind, Organization, Product, ProductKind
from issbox.names import check_label, check_name
from issbox.rules.changes import with_before
from issbox.rules.environments.environments import check_prefix
from issbox.workflows.certificates.following import certificates_follow
from issbox.workflows.content.credentials import client_keys_of, require_credential
from issbox.workflows.context import Context, Permission


def create_organization(ctx: Context, *, label: str, name: str) -> Organization:
    """Make an organization with its Library; raises AlreadyExistsError."""
    ctx.require(Permission.ORGANIZATION_MANAGE)
    check_label(label, "organization label")
    check_name(name, "organization name")
    with ctx.store.session(), ctx.store.transaction():
        organization = ctx.store.organizations.create(label, name, ctx.clock())
        ctx.audit("organization.create", label, organization=label, details={"name": name})
        return organization


def list_organizations(ctx: Context) -> list[Organization]:
    """Give all organizations in which who asks has a role."""
    reach = ctx.reach(Permission.CONTENT_READ)
    with ctx.store.session():
        return [each for each in ctx.store.organizations.list() if reach.products(each.label)]


def get_organization(ctx: Context, label: str) -> Organization:
    """Give one organization; raises NotFoundError."""
    ctx.require_some(Permission.CONTENT_READ, label)
    with ctx.store.session():
        return ctx.store.organizations.get(label)


def choose_organization(ctx: Context, label: str | None) -> str:
    """Give the label of the organization meant: the one named, or the only one.

    Only those count in which who asks has a role. Raises NotFoundError when it does not exist, InvalidValueError when
    none is named but there are several, NotPermittedError when there is no role at all.
    """
    if label is not None:
        return get_organization(ctx, label).label
    ctx.require_anywhere(Permission.CONTENT_READ)
    labels = [organization.label for organization in list_organizations(ctx)]
    if not labels:
        raise NotFoundError("this box has no organization", hint="Make one with `issbox organization create`.")
    if len(labels) > 1:
        raise InvalidValueError(
            f"this box has several organizations: {', '.join(labels)}", hint="Name one of them with --organization."
        )
    return labels[0]


def update_organization(
    ctx: Context,
    label: str,
    *,
    name: str | None = None,
    client_cas: Sequence[str] | None = None,
    content_prefix: str | None = None,
    access: CertificateType | None = None,
    hands_over_environments: bool | None = None,
) -> Organization:
    """Change the name of an organization, or whose certificates of hosts open its content; None leaves it as it is.

    `client_cas` are labels of content credentials with the authorities that may sign them besides this box. Another
    content prefix or access makes the certificates stale that say something else then. With `hands_over_environments`
    its org-admins manage its lifecycle environments. Raises NotFoundError,
    InvalidValueError for credentials that hold no CA certificate, and for a prefix that no path can begin with.
    """
    ctx.require(Permission.ORGANIZATION_MANAGE)
    details: dict[str, object] = {}
    with ctx.store.session(), ctx.store.transaction():
        before = ctx.store.organizations.get(label)
        if name is not None:
            details["name"] = check_name(name, "organization name")
            ctx.store.organizations.update(label, name=name)
        if client_cas is not None:
            for each in client_cas:
                require_credential(ctx, label, each, CredentialKind.CA_CERTIFICATE)
            ctx.store.credentials.accept_from_hosts(label, client_cas)
            details["client_cas"] = sorted(client_cas)
        if hands_over_environments is not None:
            details["hands_over_environments"] = hands_over_environments
            ctx.store.organizations.update(label, hands_over_environments=hands_over_environments)
        wanted: dict[str, object] = {} if content_prefix is None else {"content_prefix": check_prefix(content_prefix)}
        if wanted or access is not None:
            details |= wanted | ({} if access is None else {"access": access.value})
            with certificates_follow(ctx, label):
                ctx.store.organizations.update(label, content_prefix=content_prefix, access=access)
        ctx.audit("organization.update", label, organization=label, details=with_before(details, before))
        return ctx.store.organizations.get(label)


def delete_organization(ctx: Context, label: str) -> Organization:
    """Delete an organization with the private keys of its credentials, and give what it was.

    Raises InUseError while it has products.
    """
    ctx.require(Permission.ORGANIZATION_MANAGE)
    with ctx.store.session(), ctx.store.transaction():
        organization = ctx.store.organizations.get(label)
        ctx.store.organizations.delete(label)
        ctx.audit("organization.delete", label, organization=label, details={"name": organization.name})
    remove_tree(client_keys_of(ctx.store.state_dir, label))
    return organization


def create_product(
    ctx: Context, *, organization: str, label: str, name: str, description: str = "", gpg_key: str | None = None
) -> Product:
    """Make a custom product. `gpg_key` is the label of a content credential."""
    ctx.require(Permission.CONTENT_MANAGE, organization, [label])
    check_label(label, "product label")
    check_name(name, "product name")
    product = Product(organization, label, name, ProductKind.CUSTOM, description, gpg_key or None)
    with ctx.store.session(), ctx.store.transaction():
        ctx.store.organizations.get(organization)
        require_credential(ctx, organization, gpg_key, CredentialKind.GPG_KEY)
        product = ctx.store.products.create(product)
        ctx.audit("product.create", label, organization=organization, details={"name": name, "gpg_key": gpg_key})
        return product


def list_products(ctx: Context, organization: str) -> list[Product]:
    """Give the products of an organization that who asks may see."""
    seen = ctx.require_some(Permission.CONTENT_READ, organization)
    with ctx.store.session():
        ctx.store.organizations.get(organization)
        return [each for each in ctx.store.products.list(organization) if each.label in seen]


def get_product(ctx: Context, organization: str, label: str) -> Product:
    """Give one product; raises NotFoundError."""
    ctx.require(Permission.CONTENT_READ, organization, [label])
    with ctx.store.session():
        return ctx.store.products.get(organization, label)


def update_product(
    ctx: Context,
    organization: str,
    label: str,
    *,
    name: str | None = None,
    description: str | None = None,
    gpg_key: str | None = None,
) -> Product:
    """Change a custom product; raises RedHatProductError for one that a subscription manifest made."""
    ctx.require(Permission.CONTENT_MANAGE, organization, [label])
    changes: dict[str, Any] = {}
    if name is not None:
        changes["name"] = check_name(name, "product name")
    if description is not None:
        changes["description"] = description
    if gpg_key is not None:
        changes["gpg_key"] = gpg_key or None
    with ctx.store.session(), ctx.store.transaction():
        before = ctx.store.products.get(organization, label)
        require_custom(before)
        require_credential(ctx, organization, gpg_key, CredentialKind.GPG_KEY)
        with certificates_follow(ctx, organization):
            product = ctx.store.products.update(organization, label, **changes)
        ctx.audit("product.update", label, organization=organization, details=with_before(changes, before))
        return product


def delete_product(ctx: Context, organization: str, label: str) -> Product:
    """Delete a product and give what it was; raises InUseError while it has repositories.

    One of Red Hat's goes with its manifest, and by this only when no manifest has it any more.
    """
    ctx.require(Permission.CONTENT_MANAGE, organization, [label])
    with ctx.store.session(), ctx.store.transaction():
        product = ctx.store.products.get(organization, label)
        if label in ctx.store.manifests.offered(organization, label):
            require_custom(product)
        ctx.store.products.delete(organization, label)
        ctx.audit("product.delete", label, organization=organization, details={"name": product.name})
        return product


def require_custom(product: Product) -> None:
    """Raise RedHatProductError for a product that a subscription manifest made."""
    if product.kind is not ProductKind.CUSTOM:
        raise RedHatProductError(f"{product.label} is a Red Hat product, which only a subscription manifest changes")
