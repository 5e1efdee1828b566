"""Content overrides as JSON."""

from collections.abc import Sequence

from issbox.errors import InvalidValueError
from issbox.model import ContentOverride
from issbox.web.api.routes import Shape

_MOST = 1000


class Override(Shape):
    """A value that hosts use for a content in place of the one in its certificate."""

    content_label: str | None = None
    name: str | None = None
    value: str | None = None


class OverrideName(Shape):
    """Which overrides: all without a label, all of a content without a name."""

    content_label: str | None = None
    name: str | None = None


def put(given: Sequence[Override]) -> list[ContentOverride]:
    """Give overrides to be set; what is missing is refused with the rest of what is wrong when they are checked."""
    if len(given) > _MOST:
        raise InvalidValueError(f"{len(given)} content overrides are too many at once: {_MOST} may be")
    return [ContentOverride(each.content_label or "", each.name or "", each.value or "") for each in given]


def dropped(given: Sequence[OverrideName] | None) -> list[tuple[str | None, str | None]]:
    """Give label and name of those to be taken away; None stands for all."""
    if not given:
        return [(None, None)]
    return [(each.content_label or None, each.name or None) for each in given]


def described(found: Sequence[ContentOverride]) -> list[Override]:
    """Describe overrides."""
    return [Override(content_label=each.label, name=each.name, value=each.value) for each in found]
