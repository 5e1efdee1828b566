"""How the lifecycle environments of a bundle are shown before it is imported."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from issbox.cli import output
from issbox.rules.bundles.carried_environments import view_version_of

if TYPE_CHECKING:
    from issbox.rules.bundles.carried_environments import EnvironmentsPlan

ENVIRONMENTS_MEANING = (
    "array of the lifecycle environments that it carries, and what `--with-lifecycle-environments` would do: objects "
    "with `label`, `name`, `prior`, `change` (`new`, `changed` or `kept`) and `promotions`, an array of objects with "
    "`path`, `content_label`, `repomd_sha256`, `enabled` (override, or null), `content_view_version` (content view and "
    "number that it names, such as `servers 3.0`, or null), `change` (`in`, `replaced`, `kept`, or `missing` when that "
    "version is not here), `now` and `then` (numbers of the versions; null for none, and for one that comes with the "
    "bundle)"
)


def environment_documents(plan: "EnvironmentsPlan") -> list[dict[str, object]]:
    """Give what --json shows of them."""
    return [
        {
            "label": each.after.label,
            "name": each.after.name,
            "prior": each.after.prior,
            "change": each.fate.value,
            "promotions": [
                {
                    "path": one.promotion.path,
                    "content_label": one.promotion.content_label,
                    "repomd_sha256": one.promotion.repomd_sha256,
                    "enabled": one.promotion.enabled,
                    "content_view_version": None if (named := view_version_of(one.promotion)) is None else str(named),
                    "change": one.fate.value,
                    "now": None if one.before is None else one.before.number,
                    "then": one.number,
                }
                for one in plan.promotions
                if one.environment == each.after.label
            ],
        }
        for each in plan.environments
    ]


def environment_lines(plan: "EnvironmentsPlan") -> Iterator[str]:
    """Give what people are shown of them."""
    lines = plan.lines()
    if lines:
        yield "\nLifecycle environments that it carries; only --with-lifecycle-environments takes them over:\n"
        yield from (f"  {output.printable(line)}\n" for line in lines)
