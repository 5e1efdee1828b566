"""Content: products, their repositories, versions and packages, and looking for something in all of them."""

from typing import Any, Final

from issbox.console.lines import listed
from issbox.console.session import Session
from issbox.console.words import (
    Action,
    Answers,
    Column,
    Consequences,
    Kind,
    Line,
    Opening,
    Outcome,
    Place,
    Question,
    Target,
    View,
    Wanted,
)
from issbox.model import CredentialKind, Product, ProductKind
from issbox.names import make_label
from issbox.workflows.context import Permission


def _show(session: Session, subject: Any, wanted: Wanted) -> View:
    from issbox.workflows.content import catalog, repositories

    del subject
    ctx, organization = session.ctx, session.organization
    known = repositories.list_repositories(ctx, organization)
    counts: dict[str, int] = {}
    for each in known:
        counts[each.key.product] = counts.get(each.key.product, 0) + 1
    lines = (
        Line(
            each.label, (each.name, each.label, each.kind.value, str(counts.get(each.label, 0)), each.description), each
        )
        for each in catalog.list_products(ctx, organization)
    )
    return View(
        f"Products of {organization}",
        (
            Column("Product", 20, 2),
            Column("Label", 14, 1),
            Column("Kind", 7),
            Column("Repos", 5),
            Column("Description", 16, 2),
        ),
        listed(lines, wanted),
        empty="There is no product yet: c makes one.",
    )


def _open_product(session: Session, target: Target, answers: Answers) -> Outcome:
    """Show the repositories of a product."""
    del session, answers
    return Outcome(opening=Opening("repositories", target.thing))


def _create_product_questions(session: Session, target: Target) -> list[Question]:
    del target
    return [
        Question("name", "Name", required=True),
        Question("label", "Label", help="For paths and files; never changes. Made from the name when left out."),
        Question("description", "Description"),
        Question("gpg_key", "GPG key", Kind.CHOICE, "", credential_choices(session, CredentialKind.GPG_KEY)),
    ]


def _create_product(session: Session, target: Target, answers: Answers) -> Outcome:
    """Make a custom product."""
    from issbox.workflows.content import catalog

    del target
    made = catalog.create_product(
        session.ctx,
        organization=session.organization,
        label=answers["label"] or make_label(answers["name"]),
        name=answers["name"],
        description=answers["description"],
        gpg_key=answers["gpg_key"] or None,
    )
    return Outcome(f"The product {made.name} is there; Enter opens it.")


def _edit_product_questions(session: Session, target: Target) -> list[Question]:
    each: Product = target.thing
    keys = credential_choices(session, CredentialKind.GPG_KEY)
    return [
        Question("name", "Name", default=each.name, required=True),
        Question("description", "Description", default=each.description),
        Question("gpg_key", "GPG key", Kind.CHOICE, each.gpg_key or "", keys),
    ]


def _edit_product(session: Session, target: Target, answers: Answers) -> Outcome:
    """Change name, description and GPG key."""
    from issbox.workflows.content import catalog

    made = catalog.update_product(
        session.ctx,
        session.organization,
        target.thing.label,
        name=answers["name"],
        description=answers["description"],
        gpg_key=answers["gpg_key"],
    )
    return Outcome(f"The product {made.name} is changed.")


def _delete_product_confirm(session: Session, target: Target, answers: Answers) -> Consequences:
    from issbox.workflows.content import repositories

    del answers
    known = repositories.list_repositories(session.ctx, session.organization, target.thing.label)
    lines = [f"The repository {each.key.short} must be deleted first." for each in known]
    return Consequences(
        f"Delete the product {target.thing.name}?",
        tuple(lines) or ("It has no repository.",),
        "Delete",
        tuple(lines),
        final=True,
    )


def _delete_product(session: Session, target: Target, answers: Answers) -> Outcome:
    """Delete a product without repositories."""
    from issbox.workflows.content import catalog

    del answers
    catalog.delete_product(session.ctx, session.organization, target.thing.label)
    return Outcome(f"The product {target.thing.name} is deleted.")


def _custom(session: Session, target: Target) -> str:
    del session
    red = isinstance(target.thing, Product) and target.thing.kind is ProductKind.REDHAT
    return "Red Hat products come from a subscription manifest only" if red else ""


def _product_where(session: Session, target: Target) -> tuple[str | None, tuple[str, ...]]:
    return session.organization, (target.thing.label,)


def credential_choices(session: Session, kind: CredentialKind) -> tuple[tuple[str, str], ...]:
    """Give the content credentials of a kind as choices, with none."""
    from issbox.workflows.content import credentials

    known = credentials.list_credentials(session.ctx, session.organization)
    return (("", "none"), *((each.label, each.name) for each in known if each.kind is kind))


PLACE: Final = Place(
    "content",
    "Content",
    "Products; Enter leads to their repositories, the versions of each, and the packages of a version.",
    _show,
    "5",
)

ACTIONS: Final = (
    Action("content.open", "enter", "Repositories", _open_product, Product),
    Action(
        "content.create",
        "c",
        "Create",
        _create_product,
        permission=Permission.CONTENT_MANAGE,
        ask=_create_product_questions,
    ),
    Action(
        "content.edit",
        "e",
        "Edit",
        _edit_product,
        Product,
        Permission.CONTENT_MANAGE,
        _product_where,
        ask=_edit_product_questions,
        why_not=_custom,
    ),
    Action(
        "content.delete",
        "d",
        "Delete",
        _delete_product,
        Product,
        Permission.CONTENT_MANAGE,
        _product_where,
        confirm=_delete_product_confirm,
        why_not=_custom,
    ),
)
