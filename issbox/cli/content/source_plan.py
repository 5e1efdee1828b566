"""What `issbox product update --source-url --dry-run` shows."""

from dataclasses import dataclass

from issbox.cli.shapes import Field, Shape
from issbox.rules.content.sources import SourceChange
from issbox.rules.content.urls import mask_url


@dataclass(frozen=True, slots=True)
class SourcePlan:
    """Where the repositories of a product would come from."""

    organization: str
    product: str
    changes: tuple[SourceChange, ...]


def _described(change: SourceChange) -> dict[str, object]:
    return {
        "repository": change.key.short,
        "changed": change.changed,
        "url": _shown(change.before.url),
        "new_url": _shown(change.after.url),
        "ca": change.after.ca,
        "client_certificate": change.after.client_certificate,
        "proxy": _shown(change.after.proxy),
    }


PLAN = Shape[SourcePlan](
    "source plan",
    (
        Field("organization", "label of the organization", lambda each: each.organization),
        Field("product", "label of the product", lambda each: each.product),
        Field(
            "repositories",
            "array of objects: `repository` as `product/repository`, whether it would be `changed`, its `url` and "
            "`new_url`, and the `ca`, `client_certificate` and `proxy` it would have; secrets are shown as `***`",
            lambda each: [_described(change) for change in each.changes],
            show=lambda changes: "; ".join(_words(change) for change in changes) if isinstance(changes, list) else "",
        ),
    ),
)


def change_in_words(change: SourceChange) -> str:
    """Say which repository comes from where."""
    return _words(_described(change))


def _words(described: dict[str, object]) -> str:
    if not described["changed"]:
        return f"{described['repository']} stays at {described['url'] or 'nowhere'}"
    return (
        f"{described['repository']} from {described['new_url'] or 'nowhere'} instead of {described['url'] or 'nowhere'}"
    )


def _shown(url: str | None) -> str | None:
    return mask_url(url) if url else None
